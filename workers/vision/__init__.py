"""Camera analytics: what one camera showed in one window of time, as an observation.

Pure pipeline: no database, no queue, no HTTP of ours. It is used through ``child.Looker`` alone, which runs the look in
a process that may be killed; nothing here is ever imported by the API (cv2 and mediapipe cost 2 s and 200 MB).
"""
