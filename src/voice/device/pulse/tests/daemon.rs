//! A PulseAudio daemon of a test.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command as Program, Stdio};

use pulseaudio::protocol::{Command, ServerInfo, SinkInfoList, SourceInfoList};

use crate::device::StopFlag;
use crate::device::pulse::{PulseDevice, SoundEnvironment};
use crate::testing::{TestFolder, start, wait_until};

pub(super) struct Daemon {
    child: Child,
    modules: Vec<&'static str>,
    folder: TestFolder,
}

impl Daemon {
    /// Starts a daemon with these modules. The first sink and the first source are the defaults.
    pub(super) fn start(modules: &[&'static str]) -> Option<Self> {
        let folder = TestFolder::new();
        let child = Self::run(folder.path(), modules)?;
        Some(Self { child, modules: modules.to_vec(), folder })
    }

    fn run(folder: &Path, modules: &[&str]) -> Option<Child> {
        let socket = folder.join("native");
        let mut program = Program::new("pulseaudio");
        program.args(["-n", "--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes"]);
        program.args(["--use-pid-file=no", "--log-level=error"]);
        for module in modules {
            program.arg(format!("--load={module}"));
        }
        // The last, so that all ports are there when the socket is.
        program.arg(format!("--load=module-native-protocol-unix socket={}", socket.display()));
        program
            .env("HOME", folder)
            .env("XDG_RUNTIME_DIR", folder)
            .env("PULSE_RUNTIME_PATH", folder);
        program.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = start(&mut program)?;
        wait_until("the daemon listens", || UnixStream::connect(&socket).is_ok());
        Some(child)
    }

    pub(super) fn environment(&self) -> SoundEnvironment {
        SoundEnvironment {
            pulse_runtime_path: Some(self.folder.path().into()),
            ..SoundEnvironment::default()
        }
    }

    pub(super) fn device(&self) -> PulseDevice {
        PulseDevice::of(self.environment())
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    pub(super) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Program::new("kill").args([signal, &pid]).status().expect("it runs").success());
    }

    pub(super) fn restart(&mut self) {
        self.child = Self::run(self.folder.path(), &self.modules).expect("it ran before");
    }

    /// Sends a command and waits until it has been carried out.
    pub(super) fn command(&self, command: &Command) {
        let mut wire = self.environment().connect(&StopFlag::new()).expect("a connection");
        wire.send(command).expect("a command");
        let _: ServerInfo = wire.ask("answer", &Command::GetServerInfo).expect("an answer");
    }

    /// Removes a sink or a source, as unplugging it does.
    pub(super) fn unplug(&self, name: &str) {
        let mut wire = self.environment().connect(&StopFlag::new()).expect("a connection");
        let sinks: SinkInfoList = wire.ask("list", &Command::GetSinkInfoList).expect("sinks");
        let sources: SourceInfoList =
            wire.ask("list", &Command::GetSourceInfoList).expect("sources");
        let sinks = sinks.into_iter().map(|it| (it.name, it.owner_module_index));
        let mut all = sinks.chain(sources.into_iter().map(|it| (it.name, it.owner_module_index)));
        let module = all.find(|(it, _)| it.to_str() == Ok(name)).expect("the port").1;
        self.command(&Command::UnloadModule(module.expect("its module")));
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
