//! Real `influxd` processes.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

use crate::OPERATOR_TOKEN;
use crate::client::{Client, Credential, Person};
use crate::home::Home;

/// How long a server may take to listen or to stop; far more than it needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running `influxd`; killed when it goes out of scope.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    /// Tells the port, until somebody has waited for it.
    announced: Option<oneshot::Receiver<u16>>,
    output: Arc<Mutex<String>>,
}

/// A server that has ended.
#[derive(Debug)]
pub struct Stopped {
    /// How it ended.
    pub status: ExitStatus,
    /// Everything that it printed.
    pub output: String,
}

/// The binary under test: it stands beside the program that asks, or, as tests are in a folder
/// of their own, beside that folder.
pub fn influxd() -> PathBuf {
    let own = std::env::current_exe().expect("a program knows where it is");
    let folder = own.parent().expect("a program is in a folder");
    let folder = if folder.ends_with("deps") {
        folder.parent().expect("deps is in a folder")
    } else {
        folder
    };
    let binary = folder.join("influxd");
    assert!(
        binary.exists(),
        "{} is missing: build it first, or run the tests with `.ci/run test`",
        binary.display()
    );
    binary
}

impl Server {
    pub(crate) async fn start(home: &Home, flags: &[&str]) -> Self {
        let mut server = Self::launch(home, flags);
        server.is_ready().await;
        server
    }

    /// Starts one and does not wait for anything: it can be killed before it listens.
    pub(crate) fn launch(home: &Home, flags: &[&str]) -> Self {
        let mut command = home.command();
        command
            .args(home.flags())
            .arg("--http-bind-address=127.0.0.1:0")
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("influxd starts");
        let output = Arc::new(Mutex::new(String::new()));
        let (found, port) = oneshot::channel();
        let stdout = child.stdout.take().expect("stdout is a pipe");
        let stderr = child.stderr.take().expect("stderr is a pipe");
        gather(stdout, Arc::clone(&output), Some(found));
        gather(stderr, Arc::clone(&output), None);
        Self {
            child,
            port: 0,
            announced: Some(port),
            output,
        }
    }

    /// Waits until it listens.
    ///
    /// # Panics
    /// If it does not, or ends instead.
    pub async fn listens(&mut self) {
        let Some(announced) = self.announced.take() else {
            return;
        };
        match tokio::time::timeout(PATIENCE, announced).await {
            Ok(Ok(port)) => self.port = port,
            _ => panic!("the server did not start:\n{}", self.output()),
        }
    }

    /// Waits until it lets requests through: raw tokens are digests, and their traces scrubbed.
    ///
    /// # Panics
    /// If that takes longer than anything that a test prepares.
    pub async fn is_ready(&mut self) {
        self.listens().await;
        let nobody = self.client("").with(Credential::Nothing);
        let began = Instant::now();
        loop {
            let health = nobody.gets("/health").await;
            if health.status.as_u16() == 200 {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{}", health.body);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Everything that it printed so far.
    pub fn output(&self) -> String {
        let output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        output.clone()
    }

    /// Waits until it has printed `text`: what it prints comes through a pipe, beside its answers.
    pub async fn says(&self, text: &str) {
        let began = Instant::now();
        while !self.output().contains(text) {
            assert!(
                began.elapsed() < Duration::from_secs(10),
                "{text:?} is not in:\n{}",
                self.output()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Somebody with this token.
    pub fn client(&self, token: &str) -> Client {
        Client::new(&format!("http://127.0.0.1:{}", self.port), token)
    }

    /// The one who set it up, or set up another server on the same home.
    pub fn operator(&self) -> Client {
        self.client(OPERATOR_TOKEN)
    }

    /// Sets it up; returns who did.
    pub async fn set_up(&self) -> Client {
        let operator = self.operator();
        let answer = operator.sets_up(Person::default()).await;
        assert_eq!(answer.status.as_u16(), 201, "{}", answer.body);
        operator
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the server's process is there");
    }

    /// Freezes it: it does nothing until [`Self::thaw`], and cannot know that it did nothing.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it without warning.
    pub fn kill(mut self) -> Stopped {
        self.signal(Signal::KILL);
        self.wait()
    }

    /// Asks it to stop with this signal, and waits.
    pub fn stop(mut self, signal: Signal) -> Stopped {
        self.signal(signal);
        self.wait()
    }

    /// Waits until it has ended by itself.
    pub fn ended(mut self) -> Stopped {
        self.wait()
    }

    fn wait(&mut self) -> Stopped {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return Stopped {
                    status,
                    output: self.output(),
                };
            }
            assert!(
                began.elapsed() < PATIENCE,
                "the server did not stop:\n{}",
                self.output()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; a stopped process dies of this signal, too.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- what the server printed:\n{}---", self.output());
        }
    }
}

/// Keeps what a pipe brings, and tells the port that a line `Listening` names.
fn gather(
    pipe: impl Read + Send + 'static,
    output: Arc<Mutex<String>>,
    mut found: Option<oneshot::Sender<u16>>,
) {
    std::thread::spawn(move || {
        let mut lines = BufReader::new(pipe);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&line);
            if text.contains(" msg=Listening ")
                && let Some(port) = text.split(" port=").nth(1)
                && let Ok(port) = port.trim().parse()
                && let Some(found) = found.take()
            {
                // Nobody waits for it any more if the test has failed.
                let _ = found.send(port);
            }
            output
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push_str(&text);
            line.clear();
        }
    });
}
