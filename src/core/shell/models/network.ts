// Network programs as data. `u` operands are URLs or hosts, `h` and `H` may be `host:path`.

import { compile, type Model, type ModelRow } from "../model.js";

/** curl, as in curl(1). */
export const CURL: Model = compile(
  "u*",
  "-o:w --output:w --output-dir:t -O!remote-name --remote-name!remote-name --remote-name-all!remote-name -J -d:a --data:a --data-binary:a --data-ascii:a --data-urlencode:f --data-raw:t --json:a -T:r --upload-file:r -F:f --form:f --form-string:t -b:a --cookie:a -c:w --cookie-jar:w -D:w --dump-header:w -K:r!risky --config:r!risky -H:a --header:a --proxy-header:a -u:t --user:t -U:t --proxy-user:t -A:t --user-agent:t -e:t --referer:t -X:t --request:t -x:u --proxy:u --preproxy:u --socks5:u --socks4:u --socks4a:u --socks5-hostname:u -m:t --max-time:t --connect-timeout:t --retry:t --retry-delay:t --retry-max-time:t --limit-rate:t -w:a --write-out:a -r:t --range:t -C:t --continue-at:t -y:t -Y:t -z:r --time-cond:r -E:r --cert:r --key:r --cacert:r --capath:R --cert-type:t --key-type:t --pass:t --trace:w --trace-ascii:w --stderr:w --url:u --resolve:t --connect-to:t --interface:t --local-port:t --dns-servers:u --doh-url:u --max-redirs:t --max-filesize:t --netrc-file:r --hostpubmd5:t --pubkey:r --ciphers:t --tls-max:t --tlsv1.3 --unix-socket:r --abstract-unix-socket:t --oauth2-bearer:t --etag-save:w --etag-compare:r --libcurl:w --hsts:w --alt-svc:w --egd-file:r --random-file:r --proto:t --proto-default:t --proto-redir:t --service-name:t --mail-from:t --mail-rcpt:t --engine:x --quote:t -Q:t --ftp-port:t -P:t --ftp-account:t --keepalive-time:t --parallel-max:t --speed-limit:t --speed-time:t --variable:f --crlfile:r --noproxy:t --aws-sigv4:t --request-target:t --create-file-mode:t --krb:t --login-options:t --delegation:t -t:t --telnet-option:t --tftp-blksize:t --expect100-timeout:t --happy-eyeballs-timeout-ms:t --sasl-authzid:t --stderr:w",
  "",
);

/** wget, as in wget(1). */
export const WGET: Model = compile(
  "u*",
  "-O:w --output-document:w -P:t --directory-prefix:t -o:w --output-file:w -a:w --append-output:w -i:r!risky --input-file:r!risky -e:t!risky --execute:t!risky --config:r!risky --post-file:r --body-file:r --post-data:t --body-data:t --method:t --header:t -U:t --user-agent:t --user:t --password:t --http-user:t --http-password:t --referer:t --load-cookies:r --save-cookies:w --ca-certificate:r --ca-directory:R --certificate:r --private-key:r --use-askpass:x -t:t --tries:t -T:t --timeout:t --dns-timeout:t --connect-timeout:t --read-timeout:t -w:t --wait:t --waitretry:t -Q:t --quota:t --limit-rate:t --bind-address:t -l:t --level:t -A:t --accept:t -R:t --reject:t -D:t --domains:t --exclude-domains:t -I:t -X:t --accept-regex:t --reject-regex:t --regex-type:t --cut-dirs:t --default-page:t -B:u --base:u --progress:t --restrict-file-names:t --prefer-family:t --secure-protocol:t --warc-file:w --rejected-log:w --local-encoding:t --remote-encoding:t --start-pos:t --max-redirect:t --hsts-file:w --report-speed:t --crl-file:r -r!tree --recursive!tree -m!tree --mirror!tree",
  "",
);

/** `socat` addresses that start a program. */
export const SOCAT_RUNS: ReadonlySet<string> = new Set(["exec", "system", "shell"]);

export const NETWORK_MODELS: readonly ModelRow[] = [
  ["scp", "remote", "-c:t -D:s -F:r -i:r -J:t -l:t -o:t!risky -P:t -S:x -X:t -r!tree"],
  ["rsync", "remote", "--delete!delete --delete-before!delete --delete-after!delete --delete-during!delete --delete-excluded!delete --del!delete --remove-source-files!remove -e:s --rsh:s --rsync-path:t --exclude:t --include:t --exclude-from:r --include-from:r --files-from:r -f:t --filter:t --log-file:w --partial-dir:C --temp-dir:C -T:C --backup-dir:C --suffix:t --compare-dest:R --copy-dest:R --link-dest:R --password-file:r --bwlimit:t --port:t --timeout:t --chmod:t --chown:t --out-format:t --max-size:t --min-size:t -B:t --block-size:t --modify-window:t --write-batch:w --only-write-batch:w --read-batch:r -M:t --remote-option:t --iconv:t --max-delete:t"],
  ["ping ping4 ping6", "u*", "-c:t -i:t -w:t -W:t -I:t -s:t -t:t -p:t -m:t -Q:t -S:t -l:t -F:t -M:t -T:t -e:t -N:t"],
  ["host", "u*", "-c:t -t:t -m:t -N:t -R:t -W:t -k:r"],
  ["nslookup", "u*", "", "one-dash"],
  ["drill dog", "u*", "-b:t -c:t -f:r -i:r -w:w -k:r -o:t -p:t -y:t -t:t -q:t -n:u"],
  ["whois", "u*", "-h:u --host:u -p:t --port:t -i:t -T:t -s:t -t:t -v:t -g:t -q:t"],
  ["traceroute traceroute6 tracepath tracepath6 tcptraceroute", "u t", "-f:t -g:t -i:t -m:t -N:t -p:t -q:t -s:t -t:t -w:t -z:t -l:t -O:t -M:t -b:t"],
  ["mtr", "u*", "-c:t -i:t -f:t -m:t -I:t -a:t -s:t -B:t -Q:t -M:t -P:t -L:t -Z:t -G:t -o:t -U:t -F:r --filename:r -y:t"],
  ["arping", "u*", "-c:t -C:t -w:t -W:t -I:t -i:t -s:t -S:t -t:t -T:t"],
  ["fping", "u*", "-f:r -b:t -B:t -c:t -C:t -H:t -i:t -p:t -Q:t -r:t -t:t -x:t -I:t -S:t -O:t"],
  ["hping3 hping2 hping", "u*", "-c:t -i:t -I:t -a:t -p:t -s:t -d:t -E:r --file:r -e:t -o:t -t:t -N:t -w:t -M:t -L:t -O:t -m:t -g:t --count:t --interval:t --interface:t --spoof:t --destport:t --baseport:t --data:t --sign:t --listen:t --icmptype:t --icmpcode:t"],
  ["nmap zmap httping nping", "u*", "-oN:w -oX:w -oG:w -oA:w -oS:w -oL:w -oJ:w -oB:w --script:x -iL:r -p:t -T:t -D:t -S:t -e:t -g:t -c:r --conf:r --excludefile:r --includefile:r -n -A -v -O -f -m:t --rate:t --ports:t --max-rate:t --readscan:r"],
  ["masscan", "u*", "-oX:w -oG:w -oL:w -oJ:w -oD:w -oB:w --output-format:t --output-filename:w -iL:r --includefile:r --excludefile:r -c:r --conf:r --resume:r --readscan:r -p:t --ports:t --range:u --exclude:t --rate:t --max-rate:t -e:t --interface:t --adapter:t --adapter-ip:t --adapter-port:t --adapter-mac:t --router-mac:t --source-ip:t --source-port:t --wait:t --retries:t --ttl:t --seed:t --shard:t --shards:t --http-user-agent:t --connection-timeout:t --pcap:w --nmap-payloads:r --offline --ping --banners --echo --iflist --regress --randomize-hosts --open --open-only --append-output"],
  ["http https xh httpie", "u*", "-o:w --output:w -a:t --auth:t --session:t --proxy:t --verify:t --cert:r --timeout:t"],
  ["aria2c axel", "u*", "-o:w --out:w -d:C --dir:C -i:r --input-file:r --on-download-complete:x --conf-path:r -x:t -s:t -j:t -k:t -l:w -n:t"],
  ["wscat websocat", "u*", "-c:u --connect:u -l:t --listen:t -p:t --proxy:u -x:t --execute:t -H:t --header:t -s:t -w:t -P:t -o:t --origin:t --auth:t --ca:r --cert:r --key:r", "program"],
  ["grpcurl kcat kafkacat ntpdate rdate snmpget snmpwalk ldapsearch speedtest speedtest-cli iperf iperf3 wrk siege hey vegeta nikto sqlmap gobuster ffuf dirb wfuzz yt-dlp youtube-dl gallery-dl gdown croc wormhole ipfs skopeo crane oras", "t*", "", "connects program"],
  ["ab", "u*", "-n:t -c:t -t:t -s:t -b:t -B:t -p:r -u:r -T:t -C:t -H:t -A:t -P:t -X:u -y:t -x:t -z:t -g:w -e:w -Z:t -f:t -E:r -m:t", "program"],
  ["sshfs", "t*", "-p:t -o:t -F:r"],
  ["hydra", "t*", "-l:t -L:r -p:t -P:r -e:t -C:r -M:r -o:w -b:t -t:t -T:t -w:t -W:t -c:t -s:t -x:t -m:t -R"],
  ["mosquitto_pub mosquitto_sub", "t*", "-h:u --host:u -L:u --url:u --proxy:u -A:t -p:t -t:t -T:t -q:t -m:t -f:r -u:t -P:t -i:t -I:t -k:t -V:t -C:t -F:t -W:t -o:u --topic:t --file:r --cafile:r --capath:R --cert:r --key:r --psk:t --psk-identity:t --will-topic:t --will-payload:t --repeat:t --repeat-delay:t", "program"],
  ["rpcinfo showmount", "u*", "-a:t -n:t -T:t -t -u -p -m -s -l -b -d -e", "program"],
  ["ftp lftp ncftp smbclient rlogin rsh rcp rdesktop xfreerdp mosh", "u*", "-e:t!risky -c:t!risky -f:x -u:t -p:t", "connects"],
  ["aws gcloud az gsutil s3cmd rclone mc heroku flyctl vercel netlify wrangler terraform pulumi ansible ansible-playbook helm doctl gh hub glab ngrok cloudflared tailscale wireguard wg openvpn tor", "t*", "", "connects program"],
  ["sendmail msmtp swaks ssmtp", "t*", "-s:t -a:r -A:r -c:t -b:t -r:t -F:r -S:t", "connects program"],
  ["mail mailx mutt", "t*", "-s:t -a:r -A:r -c:t -b:t -r:t -F:r -S:t -f:r -i:r -H:r", "program"],
  ["lynx w3m links links2 elinks", "u*", "-cfg:r -lss:r -O:w -T:t -cols:t -width:t", "one-dash"],
  ["ssh-keyscan", "u*", "-f:r -p:t -t:t -T:t", "connects"],
  ["ssh-copy-id", "u", "-i:r -p:t -o:t -F:r", "connects"],
  ["ssh-keygen", "t*", "-f:w -t:t -b:t -C:t -N:t -P:t -m:t -O:t -I:t -s:r -D:x -R:t -F:t -Y:t -n:t -w:x -a:t -q"],
  ["ssh-add", "r*", "-t:t -s:x -e:x -d -D"],
  ["ssh-agent", "t*", "-a:w -t:t -P:t -E:t", "program stops"],
  ["iptables ip6tables nft ufw firewall-cmd ifconfig route ip tc ethtool iwconfig nmcli brctl wpa_supplicant dhclient", "t*", "-f:r", "program"],
  ["ss netstat lsof", "t*", ""],
  ["tcpdump tshark wireshark dumpcap", "t*", "-w:w -r:r -i:t -z:x -c:t -s:t -C:t -G:t -W:t -F:r"],
  ["psql mysql mariadb mysqldump pg_dump pg_restore mysqladmin createdb dropdb redis-cli mongo mongosh mongodump cqlsh clickhouse-client sqlcmd influx", "t*", "-h:u --host:u -o:w --output:w -f:x --file:x -c:i --command:i -e:i --execute:i -U:t -u:t -p:t -d:t -P:t -L:w --log-file:w --defaults-file:r -r:w --result-file:w --eval:i", "program"],
];
