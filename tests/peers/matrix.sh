#!/usr/bin/env bash
# Synapse, a real Matrix homeserver, on loopback with SQLite. Nothing federates and nothing leaves this computer.
#
#   matrix.sh install             into tests/peers/.cache/matrix, once (a Python of its own, 240 MB)
#   matrix.sh serve DIR PORT      listens on 127.0.0.1 as lab.test, until it is ended
#   matrix.sh user PORT           makes @alice:lab.test / alice-pw there
#
# Exits with 3 and a reason where something is missing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=$here/.cache/matrix

case "${1:-}" in
install)
    if [ -x "$cache/bin/register_new_matrix_user" ]; then exit 0; fi
    python3 -m venv "$cache"
    "$cache/bin/pip" install --quiet matrix-synapse==1.163.2
    ;;
serve)
    [ -x "$cache/bin/register_new_matrix_user" ] || {
        echo "Synapse is not installed: tests/peers/matrix.sh install" >&2
        exit 3
    }
    cd "$2"
    "$cache/bin/python" -m synapse.app.homeserver --server-name lab.test --config-path homeserver.yaml \
        --data-directory "$2" --generate-config --report-stats=no >/dev/null 2>&1
    cat >lab.yaml <<EOF
pid_file: $2/homeserver.pid
listeners:
  - {port: $3, tls: false, type: http, bind_addresses: ['127.0.0.1'], resources: [{names: [client], compress: false}]}
registration_shared_secret: lab
suppress_key_server_warning: true
trusted_key_servers: []
federation_domain_whitelist: []
EOF
    exec "$cache/bin/python" -m synapse.app.homeserver -c homeserver.yaml -c lab.yaml
    ;;
user)
    exec "$cache/bin/register_new_matrix_user" -k lab -u alice -p alice-pw --no-admin "http://127.0.0.1:$2"
    ;;
*)
    sed -n '2,8p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
