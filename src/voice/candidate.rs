//! The candidate lines of signaling.

use std::net::{IpAddr, SocketAddr};

/// The longest candidate line that is read, in bytes.
const LONGEST_LINE: usize = 512;

/// A candidate of the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RemoteCandidate {
    /// An address of the other side, which may be one that a TURN server has for it.
    Address { address: SocketAddr, is_relayed: bool },
    /// A reflector, by its number, and the tag of the other side there.
    Relay { reflector: u32, tag: u32 },
}

/// Reads a line as libwebrtc writes it:
/// `candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0 …`. A relay has the name
/// `reflector-NUMBER-TAG.reflector` in place of an address.
///
/// Lines of other protocols and components, and names that are not of reflectors, are `None`: a name of
/// multicast DNS, for example.
pub(crate) fn parse(line: &str) -> Option<RemoteCandidate> {
    if line.len() > LONGEST_LINE {
        return None;
    }
    let mut words = line.split_ascii_whitespace();
    let foundation = words.next()?;
    foundation.strip_prefix("a=").unwrap_or(foundation).strip_prefix("candidate:")?;
    let (component, protocol, _priority) = (words.next()?, words.next()?, words.next()?);
    let (host, port, typ) = (words.next()?, words.next()?, words.next()?);
    if component != "1" || !protocol.eq_ignore_ascii_case("udp") || typ != "typ" {
        return None;
    }
    let is_relayed = words.next()? == "relay";
    if let Some(name) = host.strip_suffix(".reflector") {
        let (number, tag) = name.strip_prefix("reflector-")?.split_once('-')?;
        return Some(RemoteCandidate::Relay {
            reflector: number.parse().ok()?,
            tag: tag.parse().ok()?,
        });
    }
    let address: IpAddr = host.parse().ok()?;
    let port: u16 = port.parse().ok()?;
    let usable = port != 0 && !address.is_unspecified() && !address.is_multicast();
    let address = SocketAddr::new(address, port);
    usable.then_some(RemoteCandidate::Address { address, is_relayed })
}

/// The priority of a relayed candidate (RFC 8445, section 5.1.2.1), with the local preference 65535.
const RELAY_PRIORITY: u32 = (65_535 << 8) + 255;

/// The line of a relayed address of this side. Its related address is one of no machine (RFC 8839,
/// section 5.1), because the real one is this side's own.
pub(crate) fn turn_line(relayed: SocketAddr) -> String {
    let (ip, port) = (relayed.ip(), relayed.port());
    let any = if ip.is_ipv4() { "0.0.0.0" } else { "::" };
    format!(
        "candidate:turn{port} 1 udp {RELAY_PRIORITY} {ip} {port} typ relay raddr {any} rport 0 \
         generation 0"
    )
}

/// The line of a relay candidate of this side.
pub(crate) fn relay_line(reflector: u32, tag: u32, port: u16) -> String {
    format!(
        "candidate:{reflector} 1 udp {RELAY_PRIORITY} reflector-{reflector}-{tag}.reflector {port} typ relay \
         raddr 0.0.0.0 rport 0 generation 0"
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_of_libwebrtc_are_read() {
        let typed = |text: &str, is_relayed| {
            let address = text.parse().expect("an address");
            Some(RemoteCandidate::Address { address, is_relayed })
        };
        let address = |text| typed(text, false);
        let cases = [
            (
                "candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host generation 0 ufrag Ab",
                address("192.0.2.1:50000"),
            ),
            (
                "a=candidate:1 1 UDP 1 2001:db8::1 9 typ srflx raddr :: rport 0",
                address("[2001:db8::1]:9"),
            ),
            ("candidate:3 1 udp 1 192.0.2.9 49152 typ relay raddr", typed("192.0.2.9:49152", true)),
            (
                "candidate:2 1 udp 41885695 reflector-2-4294967295.reflector 599 typ relay",
                Some(RemoteCandidate::Relay { reflector: 2, tag: u32::MAX }),
            ),
            ("candidate:1 1 udp 1 reflector-2-4294967296.reflector 599 typ relay", None),
            ("candidate:1 1 udp 1 0f2e.local 50000 typ host", None),
            ("candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active", None),
            ("candidate:1 2 udp 1 192.0.2.1 9 typ host", None),
            ("candidate:1 1 udp 1 192.0.2.1 0 typ host", None),
            ("candidate:1 1 udp 1 0.0.0.0 9 typ host", None),
            ("candidate:1 1 udp 1 192.0.2.1 9", None),
            ("candidate:1 1 udp 1 192.0.2.1 9 typ", None),
            ("", None),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(line), expected, "{line}");
        }
    }

    #[test]
    fn the_line_of_a_relayed_address_is_read_as_it_was_written() {
        for text in ["192.0.2.9:49152", "[2001:db8::9]:49152"] {
            let address = text.parse().expect("an address");
            let expected = RemoteCandidate::Address { address, is_relayed: true };
            assert_eq!(parse(&turn_line(address)), Some(expected));
        }
    }

    #[test]
    fn the_line_of_a_relay_is_read_as_it_was_written() {
        let expected = RemoteCandidate::Relay { reflector: 3, tag: 77 };
        assert_eq!(parse(&relay_line(3, 77, 599)), Some(expected));
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_panic(line in ".{0,300}", words in "[a-z0-9:. -]{0,200}") {
            let _ = parse(&line);
            let _ = parse(&format!("candidate:1 1 udp {words}"));
        }
    }
}
