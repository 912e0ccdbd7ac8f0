"""tus 1.0 as a phone uses it: broken off and gone on with, checked, given up; and what becomes of what was sent."""

import base64
import hashlib
import io
import socket
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from PIL import Image

from domain.evidence import service as evidence
from domain.evidence.errors import UploadTooLarge
from domain.incidents import service as incidents
from tests.fakes.small_city import SmallCity

V = {"Tus-Resumable": "1.0.0"}
PATCH = {**V, "Content-Type": "application/offset+octet-stream"}


class Phone:
    """One SOS and the uploads to it."""

    def __init__(self, city: SmallCity) -> None:
        self.city = city
        self.sos = city.sos()
        self.token = {"Sos-Token": self.sos["sos_token"]}
        self.media = f"{city.url}/v1/sos/{self.sos['id']}/media"

    def create(self, length: int, **headers: str) -> requests.Response:
        sent = {**V, **self.token, "Upload-Length": str(length), **{k.replace("_", "-"): v for k, v in headers.items()}}
        return requests.post(self.media, headers=sent, timeout=10)

    def patch(self, url: str, offset: int, data: Any, **headers: str) -> requests.Response:
        more = {k.replace("_", "-"): v for k, v in headers.items()}
        sent = {**PATCH, **self.token, "Upload-Offset": str(offset), **more}
        return requests.patch(url, data=data, headers=sent, timeout=30)

    def offset(self, url: str) -> int:
        answer = requests.head(url, headers={**V, **self.token}, timeout=10)
        answer.raise_for_status()
        return int(answer.headers["Upload-Offset"])

    def send(self, data: bytes, **metadata: str) -> requests.Response:
        given = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items())
        url = self.create(len(data), **({"Upload_Metadata": given} if given else {})).headers["Location"]
        return self.patch(url, 0, data)

    def kept(self) -> list[dict[str, Any]]:
        return list(evidence.evidence().find({"incident": self.sos["id"]}))


@pytest.fixture
def phone(small_city: SmallCity) -> Phone:
    return Phone(small_city)


def photo() -> bytes:
    """A JPEG with a place in its EXIF, lying on its side."""
    image = Image.new("RGB", (40, 20), (200, 30, 30))
    exif = image.getexif()
    exif[0x0112] = 6
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825)[2] = (31.0, 30.0, 36.0)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_photo_is_kept_as_it_came_and_shown_without_what_is_hidden_in_it(phone: Phone) -> None:
    data = photo()
    digest = hashlib.sha256(data).hexdigest()
    assert phone.send(data, filename="a.jpg", filetype="text/plain", sha256=digest).status_code == 204
    (kept,) = phone.kept()
    store = phone.city.evidence_store()
    assert (kept["sha256"], kept["size"], kept["type"]) == (digest, len(data), "image/jpeg")
    assert store.media.get(digest) == data
    clean = store.media.get(kept["shown"]["sha256"])
    with Image.open(io.BytesIO(clean)) as image:
        assert image.size == (20, 40), "turned as it is looked at"
        assert not image.getexif()
    assert b"PhoneMaker" not in clean
    entries = [each for each in incidents.get(phone.sos["id"])["timeline"] if each["kind"] == "media_added"]
    assert [each["evidence"] for each in entries] == [kept["_id"]]
    (upload,) = evidence.uploads().find({"incident": phone.sos["id"]})
    assert (upload["status"], store.parts_of(upload["_id"])) == ("complete", [])


def test_what_is_no_known_media_is_kept_and_shown_to_nobody(phone: Phone) -> None:
    assert phone.send(b"Hello, tus!\n").status_code == 204
    assert phone.send(photo()[:200]).status_code == 204
    assert [each.get("shown") for each in phone.kept()] == [None, None]


def test_a_file_that_is_not_what_was_declared_is_refused(phone: Phone) -> None:
    data = b"what nobody declared"
    answer = phone.send(data, sha256="0" * 64)
    assert (answer.status_code, answer.json()["code"]) == (460, "hash_mismatch")
    assert not phone.kept()
    with pytest.raises(FileNotFoundError):  # nor do its bytes lie anywhere: they would belong to nothing, for ever
        phone.city.evidence_store().media.get(hashlib.sha256(data).hexdigest())
    bad = phone.create(5, Upload_Metadata="sha256 " + base64.b64encode(b"abc").decode())
    assert bad.status_code == 400


def test_an_upload_goes_on_where_the_network_broke_off(phone: Phone) -> None:
    data = bytes(range(256)) * 4096  # 1 MiB
    url = phone.create(len(data)).headers["Location"]
    parts = urlsplit(url)
    head = "".join(
        f"{name}: {value}\r\n"
        for name, value in {**PATCH, **phone.token, "Upload-Offset": "0", "Content-Length": str(len(data)),
                            "Host": parts.netloc}.items()
    )  # fmt: skip
    with socket.create_connection((parts.hostname or "", parts.port or 0)) as line:
        line.sendall(f"PATCH {parts.path} HTTP/1.1\r\n{head}\r\n".encode() + data[:300_000])
    at = phone.city.wait_for(lambda: phone.offset(url))
    assert 0 < at <= 300_000
    assert phone.patch(url, at, data[at:]).status_code == 204
    assert [each["sha256"] for each in phone.kept()] == [hashlib.sha256(data).hexdigest()]


def test_the_same_bytes_sent_twice_at_once_are_added_once(phone: Phone) -> None:
    first, second = b"a" * 500_000, b"b" * 500_000
    url = phone.create(1_000_000).headers["Location"]
    statuses: list[int] = []
    barrier = threading.Barrier(6)

    def send() -> None:
        barrier.wait()
        statuses.append(phone.patch(url, 0, first).status_code)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(statuses) == [204] + [409] * 5
    assert phone.offset(url) == 500_000
    assert phone.patch(url, 500_000, second).headers["Upload-Offset"] == "1000000"
    assert [each["sha256"] for each in phone.kept()] == [hashlib.sha256(first + second).hexdigest()]


def test_a_wrong_checksum_adds_nothing(phone: Phone) -> None:
    url = phone.create(4).headers["Location"]
    wrong = phone.patch(url, 0, b"data", Upload_Checksum="sha1 " + base64.b64encode(b"x" * 20).decode())
    assert (wrong.status_code, wrong.reason, phone.offset(url)) == (460, "Checksum Mismatch", 0)
    right = base64.b64encode(hashlib.sha256(b"data").digest()).decode()
    assert phone.patch(url, 0, b"data", Upload_Checksum=f"sha256 {right}").status_code == 204
    assert (
        phone.create(1, Content_Type="application/offset+octet-stream", Upload_Checksum="crc99 AAAA").status_code == 400
    )


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Upload-Length": "-1"}, 400), ({"Upload-Length": "x"}, 400), ({"Upload-Length": "9" * 17}, 413),
     ({"Upload-Defer-Length": "1"}, 400), ({}, 400),
     ({"Upload-Length": "1", "Upload-Metadata": "filename !!!"}, 400),
     ({"Upload-Length": "1", "Upload-Metadata": "a Yg==,a Yg=="}, 400),
     ({"Upload-Length": "1", "Tus-Resumable": "0.2.2"}, 412),
     ({"Upload-Length": "1", "Sos-Token": "wrong"}, 401)],
)  # fmt: skip
def test_a_bad_creation_is_refused(phone: Phone, headers: dict[str, str], status: int) -> None:
    answer = requests.post(phone.media, headers={**V, **phone.token, **headers}, timeout=10)
    assert answer.status_code == status
    assert answer.json()["code"]
    assert answer.headers["Tus-Resumable"] == "1.0.0"


def test_nobody_else_may_read_or_write_an_upload(phone: Phone, small_city: SmallCity) -> None:
    url = phone.create(5).headers["Location"]
    other = Phone(small_city)
    assert requests.head(url, headers={**V, **other.token}, timeout=10).status_code == 401
    assert requests.head(url, headers=V, timeout=10).status_code == 401
    theirs = f"{other.media}/{url.rsplit('/', 1)[1]}"
    assert requests.head(theirs, headers={**V, **other.token}, timeout=10).status_code == 404


def test_a_retried_creation_is_the_same_upload(phone: Phone) -> None:
    key = {"Idempotency_Key": "0a0a0a0a-0000-4000-8000-000000000001"}
    first = phone.create(9, **key).headers["Location"]
    assert phone.create(9, **key).headers["Location"] == first
    other = phone.create(10, **key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_an_upload_that_is_given_up_or_forgotten_is_gone(phone: Phone, small_city: SmallCity) -> None:
    url = phone.create(5).headers["Location"]
    assert requests.delete(url, headers={**V, **phone.token}, timeout=10).status_code == 204
    assert requests.head(url, headers={**V, **phone.token}, timeout=10).status_code == 410
    left = phone.create(5).headers["Location"]
    phone.patch(left, 0, b"ab")
    small_city.ahead += timedelta(hours=25)
    try:
        assert requests.head(left, headers={**V, **phone.token}, timeout=10).status_code == 410
        assert phone.patch(left, 2, b"cde").status_code == 410
        assert phone.create(5).status_code in (201, 409)
    finally:
        small_city.ahead -= timedelta(hours=25)


def test_more_than_an_sos_may_have_is_refused(phone: Phone) -> None:
    most = phone.city.settings.upload_max_bytes
    assert [phone.create(most).status_code for _ in range(6)] == [201] * 5 + [413]


def test_what_was_kept_counts_even_when_its_sender_gives_it_up(phone: Phone) -> None:
    for number in range(5):
        url = phone.create(4).headers["Location"]
        phone.patch(url, 0, b"%04d" % number)
        requests.delete(url, headers={**V, **phone.token}, timeout=10)
    assert len(phone.kept()) == 5
    one_more = evidence.NewUpload("upl_one_more", phone.sos["id"], "lahore", "citizen", 4)
    with pytest.raises(UploadTooLarge):
        evidence.create(one_more, max_bytes=4, now=datetime.now(UTC))


def test_after_the_sos_is_long_over_nothing_is_taken(phone: Phone, small_city: SmallCity) -> None:
    requests.post(
        f"{small_city.url}/v1/sos/{phone.sos['id']}/cancel", json={"pin": ""}, headers=phone.token, timeout=10
    ).raise_for_status()
    assert phone.create(5).status_code == 201
    small_city.ahead += timedelta(minutes=31)
    try:
        assert phone.create(5).json()["code"] == "incident_closed"
    finally:
        small_city.ahead -= timedelta(minutes=31)


def test_the_sweeper_ends_what_a_dead_request_began_and_what_nobody_goes_on_with(phone: Phone) -> None:
    data, city = b"whole", phone.city
    url = phone.create(len(data)).headers["Location"]
    upload = evidence.get(url.rsplit("/", 1)[1], phone.sos["id"], now=city.now())
    part = {"name": city.evidence_store().put_part(upload["_id"], 0, data), "size": len(data)}
    evidence.append(upload, 0, [part], now=city.now())  # and here the process died
    left = phone.create(5).headers["Location"].rsplit("/", 1)[1]
    assert not phone.kept()
    city.skip(31)
    assert [each["sha256"] for each in phone.kept()] == [hashlib.sha256(data).hexdigest()]
    assert phone.offset(url) == len(data)
    try:
        city.skip(86_400)
    finally:
        city.ahead -= timedelta(seconds=86_431)
    assert [each["status"] for each in evidence.uploads().find({"_id": left})] == ["ended"]
