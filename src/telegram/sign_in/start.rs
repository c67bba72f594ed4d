//! The data centres of a new session.

use std::net::SocketAddr;

use grammers_session::SessionData;
use grammers_session::types::DcOption;

use crate::telegram::session;

/// The data centres at which a sign-in begins.
#[derive(Clone, Default)]
pub enum Start {
    /// Telegram's data centres, with a new key.
    #[default]
    Telegram,
    /// Telegram's test servers, with a new key.
    TestServers,
    /// Data centres by number and address, with existing authorization keys.
    DataCentres(Vec<(i32, SocketAddr, [u8; 256])>),
}

/// The data of a new session.
pub(super) fn initial_data(start: &Start) -> SessionData {
    /// The test servers. Source: the addresses that `TDLib` has compiled in.
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
                let option = session::dc_option(dc, (ipv4, 443).into(), None);
                data.dc_options.insert(dc, DcOption { ipv6, ..option });
            }
        }
        Start::DataCentres(centres) => {
            data.dc_options.clear();
            data.home_dc = centres.first().map_or(data.home_dc, |(dc, ..)| *dc);
            for (dc, address, auth_key) in centres {
                data.dc_options.insert(*dc, session::dc_option(*dc, *address, Some(auth_key)));
            }
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_servers_have_other_addresses_and_no_keys() {
        let (real, test) = (initial_data(&Start::Telegram), initial_data(&Start::TestServers));
        assert_eq!(test.dc_options.len(), 3);
        for (dc, centre) in &test.dc_options {
            assert!(centre.auth_key.is_none() && centre.ipv4.port() == 443);
            assert_ne!(centre.ipv4, real.dc_options[dc].ipv4);
            assert_ne!(centre.ipv6, real.dc_options[dc].ipv6);
        }
        assert!(test.dc_options.contains_key(&test.home_dc));
    }
}
