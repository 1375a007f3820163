// What Debian has of the programs that corpus lines name, as far as it is small.

export const TRACE_PACKAGES: readonly string[] = "aria2 at bc bind9-dnsutils bind9-host bsdextrautils busybox bzip2 cpio cron cryptsetup-bin direnv dos2unix ed firejail fish gawk gnupg hping3 httpie iproute2 iputils-ping jq kmod krb5-user lsof man-db mariadb-client masscan moreutils mutt ncal ncompress net-tools netcat-openbsd nmap openssh-client openssl parallel pass passwd postgresql-client psmisc python3-pip redis-tools rename rpm rsync screen socat sudo sysbench tcsh telnet tftp-hpa time tmux traceroute tree uuid-runtime vim-tiny wget whois xxd zip zstd".split(" ");

/** The same, and larger ones that refused lines name: package managers, clients of services, container engines, and a mailer that sends what programs hand to `sendmail`. */
export const REFUSED_PACKAGES: readonly string[] = [
  ...TRACE_PACKAGES,
  ..."arping autossh bsd-mailx cargo dnf dnsmasq-base fping gh git-email golang-go httping msmtp-mta mtr-tiny pipenv python3-poetry rclone yarnpkg".split(" "),
  ..."ansible-core apache2-utils awscli azure-cli bpftool composer cvs docker.io elinks entr ffuf fossil git-svn hub hydra iperf iperf3 kubernetes-client libsecret-tools lxd-client lynx magic-wormhole mercurial mosquitto-clients nfs-common nix-bin openssh-server pacman-package-manager pkexec podman rpcbind snmp speedtest-cli sshfs subversion yt-dlp".split(" "),
].sort();

/** Names under which Debian has another program than the one that the pages speak of. */
export const OTHER_PROGRAMS: ReadonlySet<string> = new Set(["speedtest"]);
