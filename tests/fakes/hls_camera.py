"""A camera that speaks HLS (RFC 8216): a live playlist that goes on by the clock, three segments of two seconds in turn."""

import http.server
import threading
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import av

from sandbox.footage import draw

FPS, SECONDS, SEGMENTS, LISTED = 12, 2, 3, 4


class HlsCamera:
    """Serves `url`. Its clock is so many seconds `ahead`, and its playlist says so; nothing of it where that is None."""

    def __init__(self, folder: Path, *, ahead: float | None = 0.0, size: tuple[int, int] = (320, 180)) -> None:
        self._ahead, self._began = ahead, time.time() - 60
        pictures = list(draw("walk", float(SEGMENTS * SECONDS), size, FPS, 3))
        for number in range(SEGMENTS):
            with av.open(str(folder / f"{number}.ts"), "w", format="mpegts") as container:
                stream: Any = container.add_stream("libx264", rate=Fraction(FPS))
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                stream.options = {"preset": "ultrafast"}
                for picture in pictures[number * SECONDS * FPS : (number + 1) * SECONDS * FPS]:
                    container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
                container.mux(stream.encode(None))
        camera = self

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args: Any) -> None:
                super().__init__(*args, directory=str(folder))

            def do_GET(self) -> None:
                if not self.path.endswith(".m3u8"):
                    self.path = f"/{int(self.path.strip('/').removesuffix('.ts')) % SEGMENTS}.ts"
                    super().do_GET()
                    return
                body = camera.playlist(time.time()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                """Quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/live.m3u8"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def playlist(self, now: float) -> str:
        """What is published: segments that are over, the last ones, each with its time by the camera's clock."""
        over = int((now - self._began) // SECONDS)
        lines = ["#EXTM3U", f"#EXT-X-TARGETDURATION:{SECONDS}", f"#EXT-X-MEDIA-SEQUENCE:{over - LISTED}"]
        for number in range(over - LISTED, over):
            if self._ahead is not None:
                at = datetime.fromtimestamp(self._began + number * SECONDS, UTC) + timedelta(seconds=self._ahead)
                lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{at.isoformat(timespec='milliseconds')}")
            lines += [f"#EXTINF:{SECONDS}.0,", f"{number}.ts"]
        return "\n".join(lines) + "\n"

    def __enter__(self) -> "HlsCamera":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=3)
