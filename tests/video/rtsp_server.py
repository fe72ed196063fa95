"""A real RTSP camera for tests: run with the system's Python, which has GStreamer's bindings.

python3 rtsp_server.py PORT [--password WORD] serves rtsp://127.0.0.1:PORT/live (H.264, 320x240, 15 frames a second,
a keyframe every second) and prints "ready" once it listens.
"""

import argparse

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

PICTURE = "videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=320,height=240,framerate=15/1"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("port")
    options.add_argument("--password", default="")
    options.add_argument("--codec", default="h264", choices=["h264", "jpeg"])
    told = options.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(told.port)
    factory = GstRtspServer.RTSPMediaFactory()
    if told.codec == "h264":
        encode = "openh264enc gop-size=15 complexity=low ! h264parse config-interval=1 ! rtph264pay name=pay0 pt=96"
    else:
        encode = "jpegenc ! rtpjpegpay name=pay0 pt=26"
    factory.set_launch(f"( {PICTURE} ! {encode} )")
    factory.set_shared(True)
    if told.password:
        auth = GstRtspServer.RTSPAuth()
        token = GstRtspServer.RTSPToken()
        token.set_string("media.factory.role", "user")
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic("watcher", told.password), token)
        server.set_auth(auth)
        role = Gst.Structure.new_empty("user")
        role.set_value("media.factory.access", True)
        role.set_value("media.factory.construct", True)
        permissions = GstRtspServer.RTSPPermissions()
        permissions.add_role_from_structure(role)
        factory.set_permissions(permissions)
    server.get_mount_points().add_factory("/live", factory)
    if not server.attach(None):
        raise SystemExit(f"cannot listen on port {told.port}")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
