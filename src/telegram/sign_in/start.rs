//! Where signing in begins: which data centres a new session knows.

use std::net::SocketAddr;

use grammers_session::SessionData;
use grammers_session::types::DcOption;

use crate::telegram::session;

/// Where signing in begins.
#[derive(Clone, Default)]
pub enum Start {
    /// At Telegram, with a new key.
    #[default]
    Telegram,
    /// At Telegram's test servers, with a new key.
    TestServers,
    /// At these data centres, with the keys that they know.
    Centres(Vec<(i32, SocketAddr, [u8; 256])>),
}

/// The data centres that a new session knows.
pub(super) fn first_data(start: &Start) -> SessionData {
    /// Source: the addresses that `TDLib` begins with at the test servers.
    const TEST: [(i32, [u8; 4], [u16; 8]); 3] = [
        (1, [149, 154, 175, 10], [0x2001, 0xb28, 0xf23d, 0xf001, 0, 0, 0, 0xe]),
        (2, [149, 154, 167, 40], [0x2001, 0x67c, 0x4e8, 0xf002, 0, 0, 0, 0xe]),
        (3, [149, 154, 175, 117], [0x2001, 0xb28, 0xf23d, 0xf003, 0, 0, 0, 0xe]),
    ];
    let mut data = SessionData::default();
    match start {
        Start::Telegram => {}
        Start::TestServers => {
            data.dc_options.clear();
            for (dc, ipv4, ipv6) in TEST {
                let ipv6 = std::net::SocketAddrV6::new(ipv6.into(), 443, 0, 0);
                let centre = session::centre(dc, (ipv4, 443).into(), None);
                data.dc_options.insert(dc, DcOption { ipv6, ..centre });
            }
        }
        Start::Centres(centres) => {
            data.dc_options.clear();
            data.home_dc = centres.first().map_or(data.home_dc, |(dc, ..)| *dc);
            for (dc, address, auth_key) in centres {
                data.dc_options.insert(*dc, session::centre(*dc, *address, Some(auth_key)));
            }
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_servers_are_others_and_begin_without_keys() {
        let (real, test) = (first_data(&Start::Telegram), first_data(&Start::TestServers));
        assert_eq!(test.dc_options.len(), 3);
        for (dc, centre) in &test.dc_options {
            assert!(centre.auth_key.is_none() && centre.ipv4.port() == 443);
            assert_ne!(centre.ipv4, real.dc_options[dc].ipv4);
            assert_ne!(centre.ipv6, real.dc_options[dc].ipv6);
        }
        assert!(test.dc_options.contains_key(&test.home_dc));
    }
}
