//! Stand-ins for programs that want a server, root or half an hour: each refuses what
//! the real one would not know.

/// Name and script of each.
pub const ALL: [(&str, &str); 7] = [
    ("docker", DOCKER),
    ("journalctl", "[ \"$1 $2\" = '--unit pinclean.service' ]"),
    ("kubectl", KUBECTL),
    ("logger", "[ \"$1 $2\" = '-t pinclean' ] && cat >/dev/null"),
    ("sudoedit", "test -e \"installed$1\""),
    ("systemctl", SYSTEMCTL),
    ("systemd-sysusers", "test -s installed/etc/sysusers.d/pinclean.conf"),
];

/// Builds nothing; runs the program of this machine in this folder.
const DOCKER: &str = r#"
case "$1" in
build) [ "$*" = "build --tag pinclean ." ] && test -f Dockerfile && : > built ;;
tag) [ $# = 3 ] && [ "$2" = pinclean ] && test -f built && echo "$3" > tagged ;;
push) [ "$(cat tagged)" = "$2" ] ;;
run) shift
    test -f built
    while [ $# -gt 0 ]; do case "$1" in
        --rm|--read-only) shift ;;
        --user|--volume|--env) shift 2 ;;
        pinclean) exec "$@" ;;
        *) echo "docker run: $1?" >&2; exit 98 ;;
    esac; done ;;
*) exit 99 ;;
esac"#;

/// The real one, without a cluster: whatever it does not find wrong before it asks the
/// server is taken for right.
const KUBECTL: &str = r#"
PATH=${PATH#*:}
export KUBECONFIG=/dev/null
if said=$(kubectl --server http://127.0.0.1:9 "$@" 2>&1); then exit 0; fi
case "$said" in *"was refused"*|*"connection refused"*) exit 0 ;; esac
echo "$said" >&2; exit 1
"#;

/// Knows the units that were installed; a unit that is started runs as its file says.
const SYSTEMCTL: &str = r#"
units=installed/etc/systemd/system
case "$*" in
daemon-reload) test -f $units/pinclean.service ;;
"start pinclean.service") eval "set -e; $(sed -n 's/%%/%/g; s,^ExecStart=/usr/local/bin/,,p' $units/pinclean.service)" ;;
"enable --now pinclean.timer"|"list-timers pinclean.timer") test -f $units/pinclean.timer ;;
*) exit 99 ;;
esac"#;
