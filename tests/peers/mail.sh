#!/usr/bin/env bash
# A real mail server on this computer: Postfix takes mail (STARTTLS or TLS, then AUTH) and hands it to Dovecot (IMAP).
#
#   mail.sh start DIR SUBMISSION SMTPS IMAPS     as root; the three ports are on 127.0.0.1
#   mail.sh stop DIR
#
# Everything is under DIR, which others must be able to enter (not 0700); nothing leaves the computer: mail to other
# domains comes back as a bounce. Accounts: ada@mail.test / ada-password, grace@mail.test / grace-password; any other
# address @mail.test has a mailbox without a sign-in. Nobody may send as somebody else. The authority is DIR/ca.pem.
#   gone@mail.test    is refused (550 5.1.1)
#   busy@mail.test    is refused for now (450 4.2.1)
# A mail may have 2 MiB. Exits with 3 and a reason where something is missing.
set -euo pipefail

missing() { echo "$1" >&2; exit 3; }

stop() {
    local file pid try
    for file in "$1/spool/pid/master.pid" "$1/dovecot/run/master.pid"; do
        [ -f "$file" ] || continue
        pid=$(tr -d ' ' <"$file")
        kill "$pid" 2>/dev/null || continue
        for try in $(seq 50); do
            # Whoever adopted it may be slow to notice that it ended.
            case "$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null || true)" in "" | Z*) break ;; esac
            sleep 0.1
        done
        [ "$try" -lt 50 ] || echo "Process $pid does not end." >&2
    done
}

check() {
    [ "$(id -u)" = 0 ] || missing "The mail server has to be started as root."
    local tool
    for tool in postfix dovecot openssl; do
        command -v "$tool" >/dev/null || missing "$tool is not installed."
    done
    case "$(dovecot --version)" in
    2.3.*) ;;
    *) missing "This set-up is written for Dovecot 2.3 (Debian 12), here is $(dovecot --version)." ;;
    esac
}

certificates() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=Peer authority" \
        -keyout "$D/tls/ca.key" -out "$D/ca.pem" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=localhost" \
        -keyout "$D/tls/key.pem" -out "$D/tls/request.pem"
    printf '%s\n' "subjectAltName=DNS:localhost,IP:127.0.0.1" "extendedKeyUsage=serverAuth" \
        "basicConstraints=CA:FALSE" >"$D/tls/extensions"
    openssl x509 -req -in "$D/tls/request.pem" -CA "$D/ca.pem" -CAkey "$D/tls/ca.key" -CAcreateserial -days 2 \
        -out "$D/tls/certificate.pem" -extfile "$D/tls/extensions"
}

dovecot_files() {
    printf '%s\n' 'ada@mail.test:{PLAIN}ada-password' 'grace@mail.test:{PLAIN}grace-password' >"$D/dovecot/users"
    chown dovecot "$D/dovecot/users"
    chmod 640 "$D/dovecot/users"
    cat >"$D/dovecot/dovecot.conf" <<EOF
protocols = imap lmtp
listen = 127.0.0.1
base_dir = $D/dovecot/run
state_dir = $D/dovecot/run
log_path = $D/dovecot/log
auth_mechanisms = plain login
disable_plaintext_auth = yes
ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <$D/tls/certificate.pem
ssl_key = <$D/tls/key.pem
mail_location = maildir:$D/mail/%d/%n
first_valid_uid = 1
first_valid_gid = 1
passdb {
  driver = passwd-file
  args = username_format=%u $D/dovecot/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=$D/mail/%d/%n allow_all_users=yes
}
namespace inbox {
  inbox = yes
  mailbox "Gesendete Übersicht" {
    auto = create
    special_use = \Sent
  }
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = $IMAPS
    ssl = yes
  }
}
service auth {
  unix_listener $D/spool/private/auth {
    mode = 0666
    user = postfix
  }
}
service lmtp {
  unix_listener $D/spool/private/dovecot-lmtp {
    mode = 0666
    user = postfix
  }
}
service stats {
  chroot =
}
EOF
}

postfix_files() {
    cat >"$D/etc/main.cf" <<EOF
compatibility_level = 3.6
queue_directory = $D/spool
data_directory = $D/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = $D/maillog
maillog_file_prefixes = $D
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = localhost
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = mail.test
virtual_transport = lmtp:unix:private/dovecot-lmtp
default_transport = error:5.1.2 nothing leaves this computer
relay_transport = error:5.1.2 nothing leaves this computer
message_size_limit = 2097152
smtpd_tls_cert_file = $D/tls/certificate.pem
smtpd_tls_key_file = $D/tls/key.pem
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_auth_enable = yes
smtpd_delay_reject = no
smtpd_sender_login_maps = inline:{ {ada@mail.test=ada@mail.test} {grace@mail.test=grace@mail.test} }
smtpd_sender_restrictions = reject_sender_login_mismatch, permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access inline:{ {gone@mail.test=550 5.1.1 nobody here by that name} {busy@mail.test=450 4.2.1 come back later} }, permit_sasl_authenticated, reject
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_reject_unlisted_recipient = no
smtpd_recipient_limit = 100
alias_maps =
local_recipient_maps =
smtputf8_enable = yes
biff = no
EOF
    cat >"$D/etc/master.cf" <<EOF
127.0.0.1:$SUBMISSION inet n - n - - smtpd
127.0.0.1:$SMTPS inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
EOF
}

reachable() {
    local port try
    for port in "$SUBMISSION" "$SMTPS" "$IMAPS"; do
        for try in $(seq 150); do
            if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
            sleep 0.1
        done
        missing "Nothing listens at port $port after 15 s ($try looks). See $D/maillog and $D/dovecot/log."
    done
}

D=$(realpath -m "${2:?a folder}")
case "${1:-}" in
stop)
    stop "$D" ;;
start)
    SUBMISSION=$3 SMTPS=$4 IMAPS=$5
    check
    mkdir -p "$D"/{etc,spool/pid,data,mail,dovecot/run,tls}
    chown mail:mail "$D/mail"
    chown postfix "$D/data"
    certificates 2>/dev/null
    dovecot_files
    postfix_files
    postfix -c "$D/etc" check # makes the folders of the spool
    # The servers keep what they are given as output; whoever waits for ours to end must not wait for theirs.
    dovecot -c "$D/dovecot/dovecot.conf" </dev/null >"$D/start.log" 2>&1
    postfix -c "$D/etc" start </dev/null >>"$D/start.log" 2>&1
    reachable ;;
*)
    echo "mail.sh start DIR SUBMISSION SMTPS IMAPS | stop DIR" >&2
    exit 2 ;;
esac
