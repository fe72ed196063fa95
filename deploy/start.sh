#!/bin/sh
# A first start begins with an empty configuration: cameras are added in the dashboard.
set -eu
[ -e /data/pahara.yml ] || printf 'version: 1\ncameras: {}\n' > /data/pahara.yml
exec pahara run -c /data/pahara.yml --json "$@"
