//! The devices that were chosen on the board, in a file beside the ledger.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use serde::{Deserialize, Serialize};

use crate::accounts::private_file;

/// The names of the chosen devices at the sound server; `None` is its default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RememberedPorts {
    pub(super) microphone: Option<String>,
    pub(super) loudspeaker: Option<String>,
}

/// The chosen devices and their file.
pub(super) struct DeviceMemory {
    /// Without a file the choice holds until the program ends.
    path: Option<PathBuf>,
    ports: Arc<Mutex<RememberedPorts>>,
    /// Held while the file is written, so that the last choice is written last.
    writing: Arc<Mutex<()>>,
}

impl DeviceMemory {
    /// Reads the file. Without a readable one nothing was chosen.
    pub(super) fn read(path: Option<PathBuf>) -> Self {
        let ports = path.as_deref().map(read).unwrap_or_default();
        Self { path, ports: Arc::new(Mutex::new(ports)), writing: Arc::default() }
    }

    pub(super) fn ports(&self) -> RememberedPorts {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Remembers other devices, and writes them in a thread; a failure is reported.
    pub(super) fn remember(
        &self,
        ports: RememberedPorts,
        failed: impl FnOnce(io::Error) + Send + 'static,
    ) -> Option<JoinHandle<()>> {
        *self.ports.lock().unwrap_or_else(PoisonError::into_inner) = ports;
        let path = self.path.clone()?;
        let (ports, writing) = (Arc::clone(&self.ports), Arc::clone(&self.writing));
        let write = move || {
            let _alone = writing.lock().unwrap_or_else(PoisonError::into_inner);
            let ports = ports.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Err(error) = write(&path, &ports) {
                failed(error);
            }
        };
        thread::Builder::new().name("devices".to_owned()).spawn(write).ok()
    }
}

fn read(path: &Path) -> RememberedPorts {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(%error, "the chosen devices cannot be read");
            }
            return RememberedPorts::default();
        }
    };
    toml::from_str(&text).unwrap_or_else(|error| {
        tracing::warn!(%error, "the chosen devices cannot be read");
        RememberedPorts::default()
    })
}

/// Replaces the file by a new one, so that it is whole at any moment.
fn write(path: &Path, ports: &RememberedPorts) -> io::Result<()> {
    let text = toml::to_string(ports).map_err(io::Error::other)?;
    let new = path.with_extension("new");
    private_file(&new).map_err(io::Error::other)?;
    fs::write(&new, text)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_choice_is_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data/devices.toml");
        let memory = DeviceMemory::read(Some(path.clone()));
        assert_eq!(memory.ports(), RememberedPorts::default());
        let named = |name: &str| RememberedPorts {
            microphone: Some(name.to_owned()),
            loudspeaker: Some("a \"quoted\" one".to_owned()),
        };
        let writing = ["first", "second", "last"]
            .map(|name| memory.remember(named(name), |error| panic!("{error}")));
        for thread in writing {
            thread.expect("a thread").join().expect("it is written");
        }
        assert_eq!(DeviceMemory::read(Some(path.clone())).ports(), named("last"));
        fs::write(&path, "microphone = 3").expect("written");
        assert_eq!(DeviceMemory::read(Some(path)).ports(), RememberedPorts::default());
    }

    #[test]
    fn a_choice_that_cannot_be_written_is_reported_and_holds() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "").expect("written");
        let memory = DeviceMemory::read(Some(file.join("devices.toml")));
        let ports = RememberedPorts { microphone: Some("m".to_owned()), loudspeaker: None };
        let (sender, failed) = std::sync::mpsc::channel();
        let thread = memory.remember(ports.clone(), move |error| {
            sender.send(error).expect("the test waits");
        });
        thread.expect("a thread").join().expect("no panic");
        assert!(failed.recv().is_ok());
        assert_eq!(memory.ports(), ports);
    }
}
