"""URLs and addresses the guard must refuse, and others it must let pass; what fetches is held to all of it."""

HOSTILE = [
    # other schemes
    "file:///etc/passwd", "ftp://example.org/", "gopher://127.0.0.1:6379/_INFO", "data:text/plain,x", "javascript:alert(1)",
    "ws://example.org/", "unix:///run/docker.sock", "jar:http://example.org/!/", "view-source:http://example.org/",
    # not absolute, not one way to read
    "", "/etc/passwd", "//example.org/", "example.org", "http:example.org", "http:/example.org",
    "http:///example.org", "http://",
    "http://:80/", "http://?x", "http:\\\\127.0.0.1\\", "http://example.org\\@127.0.0.1/", "http://127.0.0.1\\.example.org/",
    "http://exa mple.org/", "http://example.org\t/", "http://example.org/\r\nX: y", "http://exam\u0000ple.org/",
    "http://exa%6dple.org/",
    "http://%31%32%37.0.0.1/", "http://a@b@127.0.0.1/", "http://example.org:80@127.0.0.1/", "http://[::1/", "http://::1/",
    "http://[example.org]/", "http://example.org:0/", "http://example.org:65536/", "http://example.org:-1/",
    "http://example.org:8o/",
    "http://-/../" + "a" * 9000, f"http://{'a' * 64}.org/", f"http://{'a.' * 200}org/", "http://a..b/",
    "http://exämple_1.org/",
    # credentials
    "http://user@example.org/", "http://user:word@example.org/", "http://@example.org/", "http://example.org@127.0.0.1/",
    # names for local hosts
    "http://localhost/", "http://LOCALHOST:8080/", "http://localhost./", "http://a.localhost/",
    "http://localhost.localdomain/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/", "http://printer.local/", "http://metadata.google.internal/computeMetadata/v1/",
    "http://router.home.arpa/",
    # IPv4, plainly and oddly
    "http://127.0.0.1/", "http://127.0.0.1./", "http://127.1.2.3:22/", "http://0.0.0.0/", "http://0/", "http://10.0.0.1/",
    "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/",
    "http://100.64.0.1/", "http://100.100.100.200/", "http://168.63.129.16/", "http://192.0.0.192/", "http://198.18.0.1/",
    "http://192.0.2.1/", "http://198.51.100.1/", "http://203.0.113.1/", "http://192.88.99.1/", "http://224.0.0.1/",
    "http://240.0.0.1/", "http://255.255.255.255/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
    "http://0177.0.0.1/", "http://017700000001/", "http://127.1/", "http://127.0.1/", "http://127.0.0.01/",
    "http://0x7f.0.0.0x1/",
    "http://256.256.256.256/", "http://1.2.3.4.5/", "http://127.0.0.1.0x0/", "http://4294967297/", "http://0x/",
    "http://127。0。0。1/",
    "http://１２７.0.0.1/", "http://①②⑦.0.0.1/", "http://2852039166/",  # noqa: RUF001 - on purpose
    # IPv6
    "http://[::1]/", "http://[0:0:0:0:0:0:0:1]:8080/", "http://[::]/", "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::ffff:8.8.8.8]/", "http://[::127.0.0.1]/", "http://[64:ff9b::127.0.0.1]/", "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/", "http://[2002:7f00:1::]/", "http://[2002:a9fe:a9fe::1]/", "http://[2001:0:1:2:3:4:80ff:fffe]/",
    "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[fe80::1%eth0]/", "http://[fc00::1]/", "http://[fd00:ec2::254]/",
    "http://[fec0::1]/", "http://[ff02::1]/", "http://[2001:db8::1]/", "http://[3fff::1]/", "http://[100::1]/",
    "http://[5f00::1]/",
    "http://[4000::1]/", "http://[::ffff:0:127.0.0.1]/", "http://[::1%25lo]/", "http://[v1.x]/",
]  # fmt: skip

PUBLIC = [
    "http://example.org", "https://example.org/", "HTTP://EXAMPLE.ORG/", "http://example.org./",
    "http://example.org:8080/a?b=c#d",
    "https://bücher.example.org/ü", "http://a_b.example.org/", "http://1and1.com/", "http://0xide.computer/",
    "http://127.0.0.1.example.org/",
    "http://localhost.example.org/", "http://8.8.8.8/", "http://[2606:4700:4700::1111]/", "http://[64:ff9b::808:808]/",
    "http://example.org/?u=http://127.0.0.1/@x\\y", "http://example.org/@127.0.0.1", "http://mylocal/",
    "http://internal.example.org/",
]  # fmt: skip

HOSTILE_ADDRESSES = [
    "0.0.0.0", "0.1.2.3", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.255.255.255", "169.254.0.1", "172.16.0.0",
    "172.31.255.255", "192.0.0.8", "192.0.0.170", "192.0.2.255", "192.88.99.1", "192.168.255.255", "198.19.255.255",
    "198.51.100.0",
    "203.0.113.255", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "::7f00:1",
    "::ffff:a00:1", "::ffff:0:a00:1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "100::1", "2001::1",
    "2001:2::1",
    "2001:10::1", "2001:20::1", "2001:1ff::1", "2001:db8:ffff::1", "2002:a00:1::1", "3fff:fff::1", "5f00::1",
    "fc00::1", "fdff::1",
    "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1", "ff02::1", "ff0e::1", "2606:4700::1%eth0", "4000::1", "e000::1",
    "nonsense",
]  # fmt: skip

PUBLIC_ADDRESSES = [
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "169.253.255.255",
    "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:db7:ffff::1", "2003::1", "2606:4700::1111", "2a00::1",
    "64:ff9b::808:808",
]  # fmt: skip
