//! The URL of a SOCKS5 proxy.

use std::fmt;

/// A SOCKS5 proxy: `socks5://[user:password@]host:port`. `Debug` and `Display` leave the user and
/// password out.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    credentials: Option<String>,
    host: String,
    port: u16,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({self})")
    }
}

impl fmt::Display for Proxy {
    /// The host and the port only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl std::str::FromStr for Proxy {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        const FORM: &str = "a proxy is written socks5://host:port or \
             socks5://user:password@host:port, with letters, digits and -._~!$&'()*+, in both";
        let rest = url.strip_prefix("socks5://").ok_or(FORM)?.trim_end_matches('/');
        let (credentials, place) = match rest.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials.to_owned()), place),
            None => (None, rest),
        };
        // Other characters would not reach the proxy unchanged, because grammers takes the credentials
        // as part of a URL.
        let known = |char: char| char.is_ascii_alphanumeric() || "-._~!$&'()*+,".contains(char);
        let fits = |word: &str| !word.is_empty() && word.chars().all(known);
        let is_valid = credentials.as_ref().is_none_or(|it| {
            it.split_once(':').is_some_and(|(user, password)| fits(user) && fits(password))
        });
        let (host, port) = place.rsplit_once(':').ok_or(FORM)?;
        let port = port.parse().ok().filter(|port| *port > 0).ok_or(FORM)?;
        let plain = |char: char| char.is_ascii_alphanumeric() || ".-:[]".contains(char);
        if host.is_empty() || !host.chars().all(plain) || !is_valid {
            return Err(FORM);
        }
        Ok(Self { credentials, host: host.to_owned(), port })
    }
}

impl Proxy {
    /// `user:password`, if the URL has them.
    pub fn credentials(&self) -> Option<&str> {
        self.credentials.as_deref()
    }

    /// The host's name or address.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_read_and_its_password_does_not_show() {
        let proxy: Proxy = "socks5://ada:s3cret@127.0.0.1:1080".parse().expect("a proxy");
        assert_eq!(format!("{proxy} {proxy:?}"), "127.0.0.1:1080 Proxy(127.0.0.1:1080)");
        for wrong in ["http://x:1", "socks5://x", "socks5://x:0", "socks5://:1", "socks5://u@x:1"] {
            assert!(wrong.parse::<Proxy>().is_err(), "{wrong}");
        }
        for wrong in ["u:12#3@x:1", "u:a/b@x:1", "u:%40@x:1", "u:a b@x:1", "u:a:b@x:1", "u:ü@x:1"]
        {
            assert!(format!("socks5://{wrong}").parse::<Proxy>().is_err(), "{wrong}");
        }
    }
}
