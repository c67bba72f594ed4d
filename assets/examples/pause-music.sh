#!/bin/sh
# Pauses what playerctl controls while a call rings or is active, and plays it again when the last call
# has ended. It stays paused after a call that was answered on another device.
#
# Goes anywhere, such as ~/.local/bin/pause-music.sh, and has to be executable. Needs playerctl. Then in
# config.toml, whose place `onhook config path` prints:
#
#   [[hook]]
#   on = ["ringing", "answered", "ended"]
#   run = ["~/.local/bin/pause-music.sh"]

read -r record
calls="$XDG_RUNTIME_DIR/onhook-calls"
paused="$XDG_RUNTIME_DIR/onhook-paused"

case "$ONHOOK_EVENT" in
ended)
    rm -f "$calls/$ONHOOK_CALL"
    # Fails while there is another call.
    rmdir "$calls" 2>/dev/null || exit 0
    [ -e "$paused" ] || exit 0
    rm "$paused"
    case "$record" in
    *'"outcome":"answered-elsewhere"'*) ;;
    *) playerctl play ;;
    esac
    ;;
*)
    mkdir -p "$calls"
    touch "$calls/$ONHOOK_CALL"
    if [ "$(playerctl status 2>/dev/null)" = Playing ]; then
        touch "$paused"
        playerctl pause
    fi
    ;;
esac
