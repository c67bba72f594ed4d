//! The paths of the program's files.

use std::ffi::OsString;
use std::path::PathBuf;

use directories::ProjectDirs;

/// The folders of the program. They are created when a file is written, not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    config: PathBuf,
    data: PathBuf,
    state: PathBuf,
    runtime: PathBuf,
}

impl Paths {
    /// The folders of the operating system's convention, unless `ONHOOK_CONFIG_DIR`, `ONHOOK_DATA_DIR`,
    /// `ONHOOK_STATE_DIR` or `ONHOOK_RUNTIME_DIR` is set.
    pub fn find(var: impl Fn(&str) -> Option<OsString>) -> Self {
        let project = ProjectDirs::from("", "", "onhook");
        let folder = |name: &str, ours: Option<PathBuf>| {
            let set = var(name).filter(|value| !value.is_empty()).map(PathBuf::from);
            // Without a home directory the files are in the working directory.
            set.or(ours).unwrap_or_else(|| PathBuf::from(".onhook"))
        };
        let state = project
            .as_ref()
            .map(|dirs| dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned());
        let data = project.as_ref().map(|dirs| dirs.data_local_dir().to_owned());
        let runtime = project.as_ref().and_then(|dirs| dirs.runtime_dir().map(PathBuf::from));
        let state = folder("ONHOOK_STATE_DIR", state);
        // Without a login session there is no folder for sockets.
        let runtime = runtime.unwrap_or_else(|| state.join("run"));
        Self {
            config: folder("ONHOOK_CONFIG_DIR", project.map(|dirs| dirs.config_dir().to_owned())),
            data: folder("ONHOOK_DATA_DIR", data),
            runtime: folder("ONHOOK_RUNTIME_DIR", Some(runtime)),
            state,
        }
    }

    /// The file of the settings.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The file of the keymap.
    pub fn keymap_file(&self) -> PathBuf {
        self.config.join("keymap.toml")
    }

    /// The file of the rules.
    pub fn rules_file(&self) -> PathBuf {
        self.config.join("rules.toml")
    }

    /// The folder of the user's themes.
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }

    /// The folder of the accounts.
    pub fn accounts(&self) -> PathBuf {
        self.data.join("accounts")
    }

    /// The database of the ledger.
    pub fn ledger(&self) -> PathBuf {
        self.data.join("ledger.db")
    }

    /// The file of the sound devices that were chosen on the board.
    pub fn devices(&self) -> PathBuf {
        self.data.join("devices.toml")
    }

    /// The folder of recorded calls, unless the settings name another one.
    pub fn recordings(&self) -> PathBuf {
        self.data.join("recordings")
    }

    /// The folder of the control sockets.
    pub fn runtime(&self) -> &std::path::Path {
        &self.runtime
    }

    /// The program's log.
    pub fn log_file(&self) -> PathBuf {
        self.state.join("onhook.log")
    }
}
