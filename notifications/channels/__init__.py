"""One file per carrier and way; what each promises is in `notifications/channel.py`."""
