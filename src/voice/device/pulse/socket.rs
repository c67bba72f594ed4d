//! Where the socket of the sound server is.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use super::wire::Wire;
use crate::device::{DeviceError, StopFlag, TriedSocket};

/// The server takes a cookie of this length, or closes the connection without an answer.
const COOKIE_LENGTH: usize = 256;

/// The variables that name the sound server, and the user whose server it is.
#[derive(Debug, Clone, Default)]
pub struct SoundEnvironment {
    pub pulse_server: Option<OsString>,
    pub pulse_runtime_path: Option<OsString>,
    pub xdg_runtime_dir: Option<OsString>,
    pub pulse_cookie: Option<OsString>,
    pub xdg_config_home: Option<OsString>,
    pub home: Option<OsString>,
    pub user: Option<u32>,
}

impl SoundEnvironment {
    pub fn of_process() -> Self {
        // An empty variable counts as one that is not set, as in the library of PulseAudio.
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            pulse_server: variable("PULSE_SERVER"),
            pulse_runtime_path: variable("PULSE_RUNTIME_PATH"),
            xdg_runtime_dir: variable("XDG_RUNTIME_DIR"),
            pulse_cookie: variable("PULSE_COOKIE"),
            xdg_config_home: variable("XDG_CONFIG_HOME"),
            home: variable("HOME"),
            user: fs::metadata("/proc/self").ok().map(|it| it.uid()),
        }
    }

    /// Where the socket may be, in the order of the search.
    ///
    /// A server that `PULSE_SERVER` names is the only one: with another, a call over SSH would open
    /// the microphone of the remote machine.
    fn sockets(&self) -> Result<Vec<PathBuf>, DeviceError> {
        if let Some(value) = &self.pulse_server {
            let value = value.to_string_lossy();
            let paths: Vec<_> = value.split_whitespace().filter_map(socket_path).collect();
            if paths.is_empty() {
                return Err(DeviceError::TcpServer { server: value.into_owned() });
            }
            return Ok(paths);
        }
        let runtime = self.pulse_runtime_path.as_ref().map(|it| Path::new(it).join("native"));
        let xdg = self.xdg_runtime_dir.as_ref().map(|it| Path::new(it).join("pulse/native"));
        let user = self.user.map(|it| PathBuf::from(format!("/run/user/{it}/pulse/native")));
        let mut paths: Vec<_> = [runtime, xdg, user].into_iter().flatten().collect();
        paths.dedup();
        Ok(paths)
    }

    /// Connects to the first server that answers; stopping the device ends the wait for answers.
    pub(super) fn connect(&self, stop: &StopFlag) -> Result<Wire, DeviceError> {
        let mut tried = Vec::new();
        for path in self.sockets()? {
            let stream = UnixStream::connect(&path).map_err(|error| error.to_string());
            let opened = stream.and_then(|stream| {
                Wire::open(stream, self.cookie(), stop.clone()).map_err(|error| error.to_string())
            });
            match opened {
                Ok(wire) => return Ok(wire),
                Err(reason) => tried.push(TriedSocket { path, reason }),
            }
        }
        Err(DeviceError::NoServer { tried })
    }

    /// What proves to a server of another user that this one may use it; zeros if there is none.
    fn cookie(&self) -> Vec<u8> {
        let named = self.pulse_cookie.as_ref().map(PathBuf::from);
        let home = self.home.as_ref().map(Path::new);
        let configuration = self.xdg_config_home.as_ref().map(PathBuf::from);
        let configuration = configuration.or_else(|| home.map(|it| it.join(".config")));
        let usual = configuration.map(|it| it.join("pulse/cookie"));
        let old = home.map(|it| it.join(".pulse-cookie"));
        let mut cookies =
            [named, usual, old].into_iter().flatten().filter_map(|path| fs::read(path).ok());
        cookies.find(|it| it.len() == COOKIE_LENGTH).unwrap_or_else(|| vec![0; COOKIE_LENGTH])
    }
}

/// The path in one entry of `PULSE_SERVER`, which may begin with the id of a machine in braces, or
/// nothing if it is reached by TCP.
fn socket_path(entry: &str) -> Option<PathBuf> {
    let entry = match entry.strip_prefix('{').and_then(|it| it.split_once('}')) {
        Some((_, entry)) => entry,
        None => entry,
    };
    let path = entry.strip_prefix("unix:").unwrap_or(entry);
    path.starts_with('/').then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(environment: &SoundEnvironment) -> Vec<String> {
        let paths = environment.sockets().expect("sockets");
        paths.iter().map(|it| it.display().to_string()).collect()
    }

    #[test]
    fn the_socket_is_looked_for_where_the_variables_say() {
        let set = |value: &str| Some(OsString::from(value));
        let all = SoundEnvironment {
            pulse_runtime_path: set("/stale"),
            xdg_runtime_dir: set("/run/xdg"),
            user: Some(7),
            ..SoundEnvironment::default()
        };
        assert_eq!(
            paths(&all),
            ["/stale/native", "/run/xdg/pulse/native", "/run/user/7/pulse/native"]
        );
        let usual = SoundEnvironment {
            xdg_runtime_dir: set("/run/user/7"),
            user: Some(7),
            ..SoundEnvironment::default()
        };
        assert_eq!(paths(&usual), ["/run/user/7/pulse/native"]);
        for (value, expected) in [
            ("unix:/a/b", vec!["/a/b"]),
            ("/a/b", vec!["/a/b"]),
            ("{0123abcd}unix:/a/b tcp:host:4713 /c", vec!["/a/b", "/c"]),
        ] {
            let named = SoundEnvironment { pulse_server: set(value), ..all.clone() };
            assert_eq!(paths(&named), expected, "{value}");
        }
    }

    #[test]
    fn a_server_by_tcp_is_refused_with_the_way_over_ssh() {
        for value in ["tcp:host:4713", "tcp6:[::1]", "host", "{0123}tcp:host"] {
            let environment = SoundEnvironment {
                pulse_server: Some(value.into()),
                xdg_runtime_dir: Some("/run".into()),
                ..SoundEnvironment::default()
            };
            let error = environment.connect(&StopFlag::new()).err().expect("an error").to_string();
            assert!(error.contains(value) && error.contains("ssh -R"), "{error}");
        }
    }

    #[test]
    fn each_path_that_was_tried_is_named() {
        let environment = SoundEnvironment {
            pulse_runtime_path: Some("/nowhere/one".into()),
            xdg_runtime_dir: Some("/nowhere/two".into()),
            ..SoundEnvironment::default()
        };
        let error = environment.connect(&StopFlag::new()).err().expect("an error").to_string();
        assert_eq!(
            error,
            "no sound server answers; tried /nowhere/one/native (No such file or directory (os \
             error 2)), /nowhere/two/pulse/native (No such file or directory (os error 2))"
        );
        let nothing = SoundEnvironment::default()
            .connect(&StopFlag::new())
            .err()
            .expect("an error")
            .to_string();
        assert!(nothing.contains("no variable names a folder"), "{nothing}");
    }
}
