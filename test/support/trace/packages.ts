// What Debian has of the programs that corpus lines name, as far as it is small.

export const TRACE_PACKAGES: readonly string[] = "aria2 at bc bind9-dnsutils bind9-host bsdextrautils busybox bzip2 cpio cron cryptsetup-bin direnv dos2unix ed firejail fish gawk gnupg hping3 httpie iproute2 iputils-ping jq kmod krb5-user lsof man-db mariadb-client masscan moreutils mutt ncal ncompress net-tools netcat-openbsd nmap openssh-client openssl parallel pass passwd postgresql-client psmisc python3-pip redis-tools rename rpm rsync screen socat sudo sysbench tcsh telnet tftp-hpa time tmux traceroute tree uuid-runtime vim-tiny wget whois xxd zip zstd".split(" ");

/** The same, and larger ones that refused lines name: package managers, clients of services, and a mailer that sends what programs hand to `sendmail`. */
export const REFUSED_PACKAGES: readonly string[] = [...TRACE_PACKAGES, ..."arping autossh bsd-mailx cargo dnf dnsmasq-base fping gh git-email golang-go httping msmtp-mta mtr-tiny pipenv python3-poetry rclone yarnpkg".split(" ")].sort();
