//! The reader of PROXY headers: what it takes for one, and that it never reads past its end.

use std::net::SocketAddr;

use proptest::prelude::*;
use socket::core::endpoint::Endpoint;
use socket::core::proxy::{Header, HeaderReader, LONGEST_V1, LONGEST_V2, Malformed, Proxied};

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
const UNSPEC: u8 = 0x00;
const TCP4: u8 = 0x11;
const UDP4: u8 = 0x12;
const TCP6: u8 = 0x21;
#[cfg(unix)]
const UNIX: u8 = 0x31;
const LOCAL: u8 = 0x20;
const PROXY: u8 = 0x21;

/// A v2 header of this payload.
fn v2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
    let len = u16::try_from(payload.len()).expect("a short payload");
    let mut header = SIGNATURE.to_vec();
    header.extend([command, family]);
    header.extend(len.to_be_bytes());
    header.extend(payload);
    header
}

fn address_block(source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let octets = |address: SocketAddr| match address {
        SocketAddr::V4(v4) => v4.ip().octets().to_vec(),
        SocketAddr::V6(v6) => v6.ip().octets().to_vec(),
    };
    let mut block = [octets(source), octets(destination)].concat();
    block.extend(source.port().to_be_bytes());
    block.extend(destination.port().to_be_bytes());
    block
}

fn v1(source: SocketAddr, destination: SocketAddr) -> Vec<u8> {
    let protocol = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.ip(), destination.ip());
    let ports = format!("{} {}", source.port(), destination.port());
    format!("PROXY {protocol} {from} {to} {ports}\r\n").into_bytes()
}

fn proxied(source: SocketAddr, destination: SocketAddr) -> Header {
    Header::Proxied(Proxied {
        source: Endpoint::Tcp(source),
        destination: Endpoint::Tcp(destination),
    })
}

fn literal(text: &str) -> SocketAddr {
    text.parse().expect("a literal address")
}

/// How many bytes were read, and the outcome: `None` where the stream ended first.
type Outcome = (usize, Option<Result<Header, Malformed>>);

/// Reads from a stream that comes in these pieces, as a socket would be read.
fn read<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Outcome {
    let mut reader = HeaderReader::default();
    let mut taken = 0;
    for mut piece in pieces {
        while !piece.is_empty() {
            let wanted = reader.wanted();
            assert!(wanted > 0, "an unfinished header wants something");
            let now;
            (now, piece) = piece.split_at(wanted.min(piece.len()));
            taken += now.len();
            match reader.push(now) {
                Ok(None) => {}
                Ok(Some(header)) => return (taken, Some(Ok(header))),
                Err(malformed) => return (taken, Some(Err(malformed))),
            }
        }
    }
    (taken, None)
}

fn read_whole(bytes: &[u8]) -> Outcome {
    read([bytes])
}

/// It is a header, all of it, and says this.
fn assert_says(header: &[u8], says: &Header) {
    let with_payload = [header, b"\r\n and what follows"].concat();
    assert_eq!(
        read_whole(&with_payload),
        (header.len(), Some(Ok(says.clone()))),
        "{}",
        header.escape_ascii()
    );
}

fn assert_malformed(bytes: &[u8]) {
    // What never ends could still become good; so it is given more than enough.
    let (taken, outcome) = read_whole(&[bytes, &[b'x'; LONGEST_V2]].concat());
    assert_eq!(outcome, Some(Err(Malformed)), "{}", bytes.escape_ascii());
    assert!(taken <= LONGEST_V2, "{taken} bytes read");
}

#[test]
fn v1_lines() {
    let (client, server) = (literal("203.0.113.7:56324"), literal("198.51.100.1:443"));
    let said = proxied(client, server);
    assert_says(b"PROXY TCP4 203.0.113.7 198.51.100.1 56324 443\r\n", &said);
    let (client, server) = (literal("[2001:db8::7]:65535"), literal("[::]:0"));
    assert_says(
        b"PROXY TCP6 2001:db8::7 :: 65535 0\r\n",
        &proxied(client, server),
    );
    assert_says(
        b"PROXY TCP4 1.1.1.1 2.2.2.2 0 0\r\n",
        &proxied(literal("1.1.1.1:0"), literal("2.2.2.2:0")),
    );
    assert_says(b"PROXY UNKNOWN\r\n", &Header::Local);
    assert_says(b"PROXY UNKNOWN \r\n", &Header::Local);
    assert_says(b"PROXY UNKNOWN a b c d e f g h \xff\r\n", &Header::Local);
}

#[test]
fn the_longest_v1_line_and_one_more() {
    let address = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    let longest = format!("PROXY UNKNOWN {address} {address} 65535 65535\r\n");
    assert_eq!(longest.len(), LONGEST_V1);
    assert_says(longest.as_bytes(), &Header::Local);
    assert_malformed(format!("PROXY UNKNOWN {address} {address} 65535 655356\r\n").as_bytes());
    // One that has no end is given up as soon as it cannot have one any more.
    let (taken, outcome) = read_whole(&[b"PROXY UNKNOWN ".as_slice(), &[b'x'; 1000]].concat());
    assert_eq!(outcome, Some(Err(Malformed)));
    assert!(taken <= LONGEST_V1, "{taken} bytes read");
}

#[test]
fn v2_headers() {
    let (client, server) = (literal("203.0.113.7:56324"), literal("198.51.100.1:443"));
    let block = address_block(client, server);
    assert_says(&v2(PROXY, TCP4, &block), &proxied(client, server));
    assert_says(&v2(PROXY, UDP4, &block), &proxied(client, server));
    let tlvs = [block.as_slice(), b"\x05\x00\x03idx\x04\x00\x00"].concat();
    assert_says(&v2(PROXY, TCP4, &tlvs), &proxied(client, server));

    let (client, server) = (literal("[2001:db8::7]:1"), literal("[::1]:65535"));
    let block = address_block(client, server);
    assert_says(&v2(PROXY, TCP6, &block), &proxied(client, server));

    assert_says(&v2(PROXY, UNSPEC, &[]), &Header::Local);
    assert_says(&v2(PROXY, UNSPEC, b"\x04\x00\x01x"), &Header::Local);
    // A family without a transport: the addresses are not to be looked at.
    assert_says(&v2(PROXY, 0x20, &block), &Header::Local);
}

#[test]
fn local_connections_are_the_proxys_own_whatever_is_said_of_them() {
    for family in [UNSPEC, TCP4, TCP6, 0x31, 0xff] {
        for payload in [&[][..], b"x", &[0; 36]] {
            assert_says(&v2(LOCAL, family, payload), &Header::Local);
        }
    }
}

#[cfg(unix)]
#[test]
fn unix_addresses() {
    let unix = |source: &[u8], destination: &[u8]| {
        let mut block = [0; 216];
        block[..source.len()].copy_from_slice(source);
        block[108..108 + destination.len()].copy_from_slice(destination);
        v2(PROXY, UNIX, &block)
    };
    let said = |source: &str, destination: &str| {
        Header::Proxied(Proxied {
            source: Endpoint::Unix(source.into()),
            destination: Endpoint::Unix(destination.into()),
        })
    };
    assert_says(&unix(b"/run/a", b"/run/b"), &said("/run/a", "/run/b"));
    assert_says(&unix(b"", b"\0name"), &said("", "\0name"));
    let full = "x".repeat(108);
    assert_says(&unix(full.as_bytes(), b""), &said(&full, ""));
    let full = format!("\0{}", "y".repeat(107));
    assert_says(&unix(full.as_bytes(), b""), &said(&full, ""));
}

#[test]
fn the_longest_v2_header_and_one_more() {
    let fits = LONGEST_V2 - 16;
    let (client, server) = (literal("203.0.113.7:56324"), literal("198.51.100.1:443"));
    let mut payload = address_block(client, server);
    payload.resize(fits, 0);
    assert_says(&v2(PROXY, TCP4, &payload), &proxied(client, server));
    assert_says(&v2(LOCAL, UNSPEC, &vec![0; fits]), &Header::Local);
    for command in [PROXY, LOCAL] {
        let header = v2(command, UNSPEC, &vec![0; fits + 1]);
        // Refused for its length alone: not a byte of what it announces is read.
        assert_eq!(read_whole(&header), (16, Some(Err(Malformed))));
    }
}

#[test]
fn what_is_no_header() {
    let lines: &[&[u8]] = &[
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\r\n\r\n\0\r\nQUIX\n",
        b"PROXYTCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b" PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY  TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2  1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2\r\n",
        b"PROXY TCP4 1.1.1.1\r\n  ",
        b"PROXY TCP4\r\n     ",
        b"PROXY tcp4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP5 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 ::1 ::1 1 2\r\n",
        b"PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 ::1 1 2\r\n",
        b"PROXY TCP4 1.1.1.256 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 01.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY TCP4 localhost 2.2.2.2 1 2\r\n",
        b"PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
        b"PROXY TCP6 :::1 ::1 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 65536 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 +2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 02\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 0x1 2\r\n",
        b"PROXY TCP4 1.1.1.1\t2.2.2.2 1 2\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r \n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\0\r\n",
        b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\xff\r\n",
        b"PROXY UNKNOWN\n  ",
        b"PROXY UNKNOWNS\r\n",
        b"PROXY UNKNOWN \r \n",
    ];
    for line in lines {
        assert_malformed(line);
    }
    let block = [0; 216];
    for (command, family) in [
        (0x11, TCP4),  // version 1
        (0x31, TCP4),  // version 3
        (0x10, TCP4),  // version 1, LOCAL
        (0x22, TCP4),  // no such command
        (0x2f, TCP4),  // no such command
        (PROXY, 0x41), // no such family
        (PROXY, 0x13), // no such transport
    ] {
        // The fixed part is enough to tell.
        let header = v2(command, family, &block);
        assert_eq!(read_whole(&header), (16, Some(Err(Malformed))));
    }
    for (family, needed) in [(TCP4, 12), (TCP6, 36), (0x31, 216)] {
        let header = v2(PROXY, family, &block[..needed - 1]);
        assert_eq!(read_whole(&header), (16, Some(Err(Malformed))));
    }
}

#[test]
fn an_unfinished_header_is_neither_good_nor_bad() {
    let (client, server) = (literal("203.0.113.7:56324"), literal("198.51.100.1:443"));
    for header in [
        v1(client, server),
        v2(PROXY, TCP4, &address_block(client, server)),
        b"PROXY UNKNOWN what is this\r\n".to_vec(),
        v2(LOCAL, UNSPEC, b"abc"),
    ] {
        for len in 0..header.len() {
            assert_eq!(read_whole(&header[..len]), (len, None));
        }
    }
}

/// Two addresses of one family.
fn ends() -> impl Strategy<Value = (SocketAddr, SocketAddr)> {
    let v4 = || any::<([u8; 4], u16)>().prop_map(SocketAddr::from);
    let v6 = || any::<([u8; 16], u16)>().prop_map(SocketAddr::from);
    // Addresses in short form as well: most random ones are as long as can be.
    let short = || {
        (0u16..4, any::<u16>())
            .prop_map(|(last, port)| SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, last], port)))
    };
    prop_oneof![
        (v4(), v4()),
        (v6(), v6()),
        (short(), short()),
        (v6(), short())
    ]
}

/// A header and what it says.
fn header() -> impl Strategy<Value = (Vec<u8>, Header)> {
    let tlvs = prop::collection::vec(any::<u8>(), 0..300);
    let noise = "[ -~]{0,80}";
    prop_oneof![
        ends().prop_map(|(from, to)| (v1(from, to), proxied(from, to))),
        (ends(), tlvs.clone()).prop_map(|((from, to), tlvs)| {
            let family = if from.is_ipv4() { TCP4 } else { TCP6 };
            let payload = [address_block(from, to), tlvs].concat();
            (v2(PROXY, family, &payload), proxied(from, to))
        }),
        tlvs.prop_map(|tlvs| (v2(LOCAL, UNSPEC, &tlvs), Header::Local)),
        noise.prop_map(|noise| {
            (
                format!("PROXY UNKNOWN {noise}\r\n").into_bytes(),
                Header::Local,
            )
        }),
    ]
}

proptest! {
    /// Wherever the stream is cut into pieces, the header is understood and every byte behind it is
    /// left where it is.
    #[test]
    fn not_one_byte_too_many(
        (header, says) in header(),
        payload in prop::collection::vec(any::<u8>(), 0..200),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let stream = [header.as_slice(), &payload].concat();
        let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        let pieces = places.windows(2).map(|ends| &stream[ends[0]..ends[1]]);
        prop_assert_eq!(read(pieces), (header.len(), Some(Ok(says))));
    }

    /// No bytes make it panic, want nothing, or read on for ever.
    #[test]
    fn anything_at_all(
        beginning in prop_oneof![
            Just(Vec::new()),
            Just(b"PROXY TCP4 ".to_vec()),
            Just(b"PROXY TCP6 ".to_vec()),
            Just(b"PROXY UNKNOWN".to_vec()),
            Just(SIGNATURE.to_vec()),
            Just([SIGNATURE, &[PROXY]].concat()),
        ],
        rest in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..400),
            prop::collection::vec(prop::sample::select(b" .:0123456789af\r\n".as_slice()), 0..200),
        ],
    ) {
        let stream = [beginning, rest, vec![0; LONGEST_V2]].concat();
        let (taken, outcome) = read_whole(&stream);
        prop_assert!(outcome.is_some());
        prop_assert!(taken <= LONGEST_V2);
    }

    /// However it is cut, the outcome is the same.
    #[test]
    fn byte_by_byte_is_no_different(
        (mut header, _) in header(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let at = at.index(header.len());
        header[at] = byte;
        header.extend([0; LONGEST_V2]);
        let (_, whole) = read_whole(&header);
        let (_, single) = read(header.chunks(1));
        prop_assert_eq!(whole, single);
    }
}
