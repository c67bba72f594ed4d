//! Parses session strings of Telethon and Pyrogram.
//!
//! Telethon: `1`, then base64 of data centre, IPv4 or IPv6 address, port, key. Pyrogram: base64
//! of data centre, api id, test mode, key, user id, whether it is a bot. All big-endian.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The length of an authorization key, in bytes.
const KEY: usize = 256;
/// The decoded lengths of Telethon's strings, with an IPv4 and an IPv6 address.
const TELETHON: [usize; 2] = [1 + 4 + 2 + KEY, 1 + 16 + 2 + KEY];
/// The decoded length of a string of Pyrogram 2.
const PYROGRAM: usize = 1 + 4 + 1 + KEY + 8 + 1;
/// The decoded lengths of older strings, without `api_id`, with a user id of 32 or 64 bits.
const OLD_PYROGRAM: [usize; 2] = [1 + 1 + KEY + 4 + 1, 1 + 1 + KEY + 8 + 1];

/// The contents of a session string. It has no `Debug`, because it holds an authorization key.
#[derive(Clone, PartialEq, Eq)]
pub struct Imported {
    pub(super) dc: i32,
    /// The address of the data centre; Pyrogram's strings have none.
    pub(super) address: Option<SocketAddr>,
    pub(super) auth_key: [u8; KEY],
    /// Whether the session is of Telegram's test servers.
    pub(super) test: bool,
    /// The `api_id` with which the session was made; Telethon's strings have none.
    pub(super) api_id: Option<i32>,
    pub(super) bot: bool,
}

/// Why a text is no session string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The text is empty.
    #[error("there is nothing to import: give a session string on standard input")]
    Empty,
    /// The text is of neither program.
    #[error(
        "this is neither a Telethon string session (1…, 353 or 369 characters) nor a Pyrogram one \
         (362 characters)"
    )]
    Unknown,
    /// The text is of a Pyrogram before version 2.
    #[error("this is a session string of an old Pyrogram: export it anew with version 2")]
    OldPyrogram,
    /// The number of the data centre is not from 1 to 5.
    #[error("the session string names a data centre that does not exist; is it damaged?")]
    UnknownDataCentre,
}

impl Imported {
    /// Parses a session string of either program. Errors never contain a part of the text.
    pub fn parse(text: &str) -> Result<Self, ImportError> {
        let text: String = text.split_whitespace().collect();
        if text.is_empty() {
            return Err(ImportError::Empty);
        }
        let telethon = text.strip_prefix('1').and_then(decode);
        if let Some(bytes) = telethon.filter(|bytes| TELETHON.contains(&bytes.len())) {
            return Self::telethon(&bytes).ok_or(ImportError::Unknown)?.checked();
        }
        match decode(&text) {
            Some(bytes) if bytes.len() == PYROGRAM => {
                Self::pyrogram(&bytes).ok_or(ImportError::Unknown)?.checked()
            }
            Some(bytes) if OLD_PYROGRAM.contains(&bytes.len()) => Err(ImportError::OldPyrogram),
            _ => Err(ImportError::Unknown),
        }
    }

    /// The `api_id` with which the session was made, if the string has it.
    pub fn api_id(&self) -> Option<i32> {
        self.api_id
    }

    fn telethon(mut bytes: &[u8]) -> Option<Self> {
        let long = bytes.len() == TELETHON[1];
        let [dc] = take(&mut bytes)?;
        let ip = if long {
            IpAddr::from(Ipv6Addr::from(take::<16>(&mut bytes)?))
        } else {
            IpAddr::from(Ipv4Addr::from(take::<4>(&mut bytes)?))
        };
        let port = u16::from_be_bytes(take(&mut bytes)?);
        let address = Some(SocketAddr::new(ip, port));
        let auth_key = take(&mut bytes)?;
        Some(Self { dc: i32::from(dc), address, auth_key, test: false, api_id: None, bot: false })
    }

    fn pyrogram(mut bytes: &[u8]) -> Option<Self> {
        let [dc] = take(&mut bytes)?;
        let api_id = i32::try_from(u32::from_be_bytes(take(&mut bytes)?)).ok();
        let [test] = take(&mut bytes)?;
        let auth_key = take(&mut bytes)?;
        let _user_id = take::<8>(&mut bytes)?;
        let [bot] = take(&mut bytes)?;
        let api_id = api_id.filter(|id| *id > 0);
        let (test, bot) = (test != 0, bot != 0);
        Some(Self { dc: i32::from(dc), address: None, auth_key, test, api_id, bot })
    }

    fn checked(self) -> Result<Self, ImportError> {
        if (1..=5).contains(&self.dc) { Ok(self) } else { Err(ImportError::UnknownDataCentre) }
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&URL_SAFE, config).decode(text).ok()
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::*;

    fn telethon(dc: u8, address: &[u8]) -> String {
        let bytes = [&[dc], address, &443u16.to_be_bytes(), &[7; KEY]].concat();
        format!("1{}", URL_SAFE.encode(bytes))
    }

    fn pyrogram(dc: u8, bot: u8) -> String {
        let bytes =
            [&[dc][..], &12u32.to_be_bytes(), &[1], &[7; KEY], &99u64.to_be_bytes(), &[bot]]
                .concat();
        URL_SAFE_NO_PAD.encode(bytes)
    }

    #[test]
    fn both_forms_are_recognised() {
        let read = Imported::parse(&format!("{}\n", telethon(4, &[1, 2, 3, 4]))).expect("Telethon");
        assert_eq!(read.address, Some("1.2.3.4:443".parse().expect("an address")));
        assert!(read.dc == 4 && read.auth_key == [7; KEY] && read.api_id.is_none() && !read.bot);
        let read = Imported::parse(&telethon(2, &[0; 16])).expect("Telethon with IPv6");
        assert_eq!(read.address, Some("[::]:443".parse().expect("an address")));
        let read = Imported::parse(&pyrogram(2, 0)).expect("Pyrogram");
        assert!(read.dc == 2 && read.api_id == Some(12) && read.test && !read.bot);
        assert!(Imported::parse(&pyrogram(2, 1)).expect("Pyrogram").bot);
    }

    #[test]
    fn texts_that_are_no_sessions_are_refused() {
        let whole = telethon(2, &[1, 2, 3, 4]);
        let old = URL_SAFE_NO_PAD.encode(vec![2; OLD_PYROGRAM[1]]);
        for (text, wanted) in [
            ("", ImportError::Empty),
            (" \n", ImportError::Empty),
            ("hello", ImportError::Unknown),
            (&whole[..whole.len() - 8], ImportError::Unknown),
            (&telethon(9, &[1, 2, 3, 4]), ImportError::UnknownDataCentre),
            (&old, ImportError::OldPyrogram),
        ] {
            assert_eq!(Imported::parse(text).err(), Some(wanted), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Valid base64 of every length, most often of the lengths that mean something.
        #[test]
        fn base64_is_read_by_its_length_and_data_centre(
            bytes in any_bytes(),
            prefixed in any::<bool>(),
            padded in any::<bool>(),
        ) {
            let base64 = if padded { URL_SAFE.encode(&bytes) } else { URL_SAFE_NO_PAD.encode(&bytes) };
            let text = if prefixed { format!("1{base64}") } else { base64 };
            let read = Imported::parse(&text).map(|read| (read.dc, read.auth_key));
            let right = if prefixed { &TELETHON[..] } else { &[PYROGRAM] };
            if right.contains(&bytes.len()) {
                let key = if prefixed { bytes.len() - KEY } else { 1 + 4 + 1 };
                let key: [u8; KEY] = bytes[key..key + KEY].try_into().expect("a whole key");
                let dc = i32::from(bytes[0]);
                let wanted =
                    if (1..=5).contains(&dc) { Ok((dc, key)) } else { Err(ImportError::UnknownDataCentre) };
                prop_assert_eq!(read, wanted);
            } else if !prefixed && OLD_PYROGRAM.contains(&bytes.len()) {
                prop_assert_eq!(read, Err(ImportError::OldPyrogram));
            } else {
                prop_assert!(read.is_err(), "{} bytes are no session", bytes.len());
            }
        }
    }

    /// Bytes whose first is often the number of a data centre.
    fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
        let lengths = [&TELETHON[..], &[PYROGRAM], &OLD_PYROGRAM].concat();
        let length = prop_oneof![3 => proptest::sample::select(lengths), 1 => 0usize..400];
        let bytes = length.prop_flat_map(|length| proptest::collection::vec(any::<u8>(), length));
        (bytes, proptest::option::weighted(0.7, 1u8..=6)).prop_map(|(mut bytes, dc)| {
            if let (Some(first), Some(dc)) = (bytes.first_mut(), dc) {
                *first = dc;
            }
            bytes
        })
    }
}
