"""Real RTSP cameras for the benchmarks: run with the system's Python, which has GStreamer's bindings.

python3 rtsp_server.py PORT serves rtsp://127.0.0.1:PORT/live: a ball that moves (H.264, 320x240, 15 frames a second, a keyframe
every second); SIGUSR1 changes its resolution while it runs. With films, PORT FILM... serves the nth film (mp4, H.264) at /n, at its own pace,
without encoding anything. It prints "ready" once it listens.
"""

import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

SIZES = ((320, 240), (160, 120))
BALL = (
    "videotestsrc is-live=true pattern=ball ! videoscale ! capsfilter name=size caps={caps} ! "
    "openh264enc gop-size=15 complexity=low ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96"
)
FILM = "filesrc location={film} ! qtdemux ! h264parse config-interval=-1 ! identity sync=true ! rtph264pay name=pay0 pt=96"


def caps(size):
    return f"video/x-raw,format=I420,width={size[0]},height={size[1]},framerate=15/1"


def main() -> None:
    port, films = sys.argv[1], sys.argv[2:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    filters: list[object] = []
    state = {"size": 0}

    def configured(_factory, media):
        filters.append(media.get_element().get_by_name("size"))

    def change():
        state["size"] = 1 - state["size"]
        for each in filters:
            each.set_property("caps", Gst.Caps.from_string(caps(SIZES[state["size"]])))
        return True

    for number, film in enumerate(films):
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {FILM.format(film=film)} )")
        server.get_mount_points().add_factory(f"/{number}", factory)
    if not films:
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {BALL.format(caps=caps(SIZES[0]))} )")
        factory.set_shared(True)
        factory.connect("media-configure", configured)
        server.get_mount_points().add_factory("/live", factory)
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, change)
    if not server.attach(None):
        raise SystemExit(f"cannot listen on port {port}")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
