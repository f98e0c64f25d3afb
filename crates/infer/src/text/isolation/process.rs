//! A process for templates, as seen by who asks it.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

use super::frame;
use super::job::Answer;

/// Bytes of a job at most.
pub(super) const MOST_JOB: u32 = 128 << 20;

/// Bytes of an answer at most.
const MOST_ANSWER: u32 = 64 << 20;

/// Bytes of a dead process's last words that are looked at.
const LAST_WORDS: u64 = 4096;

/// Memory of a process that waits, the program's own pages included.
const MOST_KEPT: u64 = 64 << 20;

/// How long a process that closed its pipes may take to end.
const ENDING: Duration = Duration::from_secs(1);

/// How a process for templates is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateCommand {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
}

impl TemplateCommand {
    /// The program that runs, with other arguments.
    ///
    /// # Errors
    /// When the system does not tell which one it is.
    pub fn this_program(arguments: Vec<OsString>) -> io::Result<Self> {
        // this name leads to the program even when another version has taken its place
        let itself = PathBuf::from("/proc/self/exe");
        let program = if cfg!(target_os = "linux") && itself.exists() {
            itself
        } else {
            std::env::current_exe()?
        };
        Ok(Self { program, arguments })
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            // the terminal's signals are for the program; the folder may be unmounted
            command
                .arg0("weightsmith")
                .process_group(0)
                .current_dir("/");
        }
        #[cfg(windows)]
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        command
    }
}

/// Why a process gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Death {
    /// It took too long.
    Time(Duration),
    Memory,
    Stack,
    /// It wrote what is no answer.
    Nonsense(String),
    Other(String),
}

impl fmt::Display for Death {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(most) => write!(out, "no answer after {} s", most.as_secs()),
            Self::Memory => out.write_str("out of memory"),
            Self::Stack => out.write_str("stack overflow"),
            Self::Nonsense(problem) | Self::Other(problem) => out.write_str(problem),
        }
    }
}

/// What came from the process.
type Received = io::Result<Option<Vec<u8>>>;

/// A process that waits for jobs. It ends with this handle, or with the program.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    last_words: Option<ChildStderr>,
    jobs: Sender<Arc<[u8]>>,
    answers: Receiver<Received>,
}

impl Process {
    pub(super) fn start(command: &TemplateCommand) -> io::Result<Self> {
        let mut child = command.command().spawn()?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let (jobs, incoming) = channel();
        let (outgoing, answers) = channel();
        // a thread for the pipes, since only waiting on a channel can be given up
        let spawned = Builder::new()
            .name("template".to_owned())
            .spawn(move || carry(&incoming, input, output, &outgoing));
        let last_words = child.stderr.take();
        let process = Self {
            child,
            last_words,
            jobs,
            answers,
        };
        spawned.map(|_| process)
    }

    /// Whether it still waits for jobs.
    pub(super) fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Whether it may wait with the memory that it has; where that is unknown it may.
    pub(super) fn is_small(&self) -> bool {
        let status = fs_err::read_to_string(format!("/proc/{}/status", self.child.id()));
        let memory = status.ok().and_then(|status| {
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
        });
        memory.is_none_or(|kibibytes| kibibytes < MOST_KEPT >> 10)
    }

    /// Hands a job over and waits for the answer. After a death the process is of no use any more.
    pub(super) fn ask(&mut self, job: &Arc<[u8]>, most: Duration) -> Result<Answer, Death> {
        // where the thread is gone, so is the receiver
        let _ = self.jobs.send(Arc::clone(job));
        match self.answers.recv_timeout(most) {
            Ok(Ok(Some(answer))) => serde_json::from_slice(&answer).map_err(|problem| {
                Death::Nonsense(format!("its answer cannot be read: {problem}"))
            }),
            Ok(Err(error)) if error.kind() == io::ErrorKind::Other => {
                Err(Death::Nonsense(error.to_string()))
            }
            Ok(Ok(None) | Err(_)) | Err(RecvTimeoutError::Disconnected) => Err(self.cause()),
            Err(RecvTimeoutError::Timeout) => Err(Death::Time(most)),
        }
    }

    /// What a process that closed its pipes died of.
    fn cause(&mut self) -> Death {
        // it is about to end, if it has not
        let until = Instant::now() + ENDING;
        while self.lives() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(1));
        }
        let _ = self.child.kill();
        let mut words = Vec::new();
        if let Some(pipe) = self.last_words.take() {
            let _ = pipe.take(LAST_WORDS).read_to_end(&mut words);
        }
        let words = String::from_utf8_lossy(&words);
        if words.contains("memory allocation of") {
            return Death::Memory;
        }
        if words.contains("overflowed its stack") {
            return Death::Stack;
        }
        match self.child.wait() {
            Ok(status) => Death::Other(ending(status)),
            Err(error) => Death::Other(error.to_string()),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // one that has ended cannot be killed
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return match signal {
            24 => "too much time of the processor".to_owned(),
            other => format!("signal {other}"),
        };
    }
    status.to_string()
}

/// Takes jobs to the process and brings its answers, until one side ends.
fn carry(
    jobs: &Receiver<Arc<[u8]>>,
    mut input: ChildStdin,
    mut output: ChildStdout,
    answers: &Sender<Received>,
) {
    for job in jobs {
        let received =
            frame::write(&mut input, &job).and_then(|()| frame::read(&mut output, MOST_ANSWER));
        let over = !matches!(received, Ok(Some(_)));
        if answers.send(received).is_err() || over {
            return;
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    /// A process that does what a shell is told.
    fn shell(script: &str) -> Process {
        let command = TemplateCommand {
            program: "/bin/sh".into(),
            arguments: vec!["-c".into(), script.into()],
        };
        Process::start(&command).unwrap()
    }

    /// What it dies of when it is asked.
    fn death(script: &str, most: Duration) -> String {
        let mut process = shell(script);
        process
            .ask(&b"job"[..].into(), most)
            .unwrap_err()
            .to_string()
    }

    const SOON: Duration = Duration::from_mins(1);

    #[test]
    fn an_answer_comes_back_and_the_process_waits_for_more() {
        // an answer of 14 bytes for each job of 7
        let script =
            r#"while head -c 7 >/dev/null && printf '\016\000\000\000{"Text": "Hi"}'; do :; done"#;
        let mut process = shell(script);
        for _ in 0..2 {
            let answer = process.ask(&b"job"[..].into(), SOON).unwrap();
            assert_eq!(answer, Answer::Text("Hi".to_owned()));
        }
        assert!(process.lives());
    }

    #[test]
    fn deaths_are_told_apart() {
        let memory = "echo 'memory allocation of 5 bytes failed' >&2; kill -ABRT $$";
        assert_eq!(death(memory, SOON), "out of memory");
        let stack = "echo \"thread 'main' has overflowed its stack\" >&2; kill -ABRT $$";
        assert_eq!(death(stack, SOON), "stack overflow");
        assert_eq!(
            death("kill -XCPU $$", SOON),
            "too much time of the processor"
        );
        assert_eq!(
            death("head -c 7 >/dev/null; kill -SEGV $$", SOON),
            "signal 11"
        );
        assert_eq!(death("exit 3", SOON), "exit status: 3");
        let soon = Duration::from_millis(50);
        assert_eq!(death("exec sleep 100", soon), "no answer after 0 s");
    }

    #[test]
    fn what_is_no_answer_is_refused_before_it_is_read() {
        // a length of 2 GiB
        let endless = r"printf '\000\000\000\200'; exec cat /dev/zero";
        assert_eq!(
            death(endless, SOON),
            "a message of 2147483648 bytes is too long"
        );
        let nonsense = r"printf '\002\000\000\000no'; exec sleep 100";
        let found = death(nonsense, SOON);
        assert!(found.starts_with("its answer cannot be read"), "{found}");
    }

    #[test]
    fn a_process_that_was_killed_is_not_alive() {
        let mut process = shell("exec sleep 100");
        assert!(process.lives());
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        assert!(!process.lives());
    }
}
