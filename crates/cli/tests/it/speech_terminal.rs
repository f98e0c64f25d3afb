//! `chat` and `generate` on a terminal: line editing, Ctrl-C, Ctrl-D, the progress of a long prompt.
#![cfg(unix)]
#![expect(
    clippy::disallowed_types,
    reason = "the master of a terminal has no path"
)]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::speech::{RECIPE, REPOSITORY, copy_without, endless};
use crate::world::World;

const CTRL_C: &str = "\u{3}";
const CTRL_D: &str = "\u{4}";
const UP: &str = "\u{1b}[A";

/// How long anything may take, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// A command on a terminal of its own.
pub(crate) struct Terminal {
    child: Child,
    keyboard: File,
    /// What was shown, and how much of it was looked at.
    screen: Arc<Mutex<String>>,
    seen: usize,
}

impl Terminal {
    /// Starts the command; `None` where there is no `setsid` to give it the terminal.
    fn start(world: &World, arguments: &[&str]) -> Option<Self> {
        Self::run(&world.command(arguments))
    }

    /// The same with a command that is ready.
    #[expect(clippy::print_stderr, reason = "a skipped test says why")]
    pub(crate) fn run(plain: &Command) -> Option<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&master).expect("granted");
        unlockpt(&master).expect("unlocked");
        let size = Winsize {
            ws_row: 40,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&master, size).expect("sized");
        let name = ptsname(&master, Vec::new()).expect("a name");
        let name = name.to_str().expect("ASCII");
        let open = || {
            File::options()
                .read(true)
                .write(true)
                .open(name)
                .expect("opens")
        };
        let mut command = Command::new("setsid");
        command.arg("--ctty").arg(plain.get_program());
        command.args(plain.get_args());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.env("TERM", "xterm").current_dir(REPOSITORY);
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn();
        let Ok(child) = child else {
            eprintln!("skipped: there is no `setsid`");
            return None;
        };
        drop(command);
        let keyboard = File::from(master);
        let mut output = keyboard.try_clone().expect("cloned");
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // the end of the other side is an error of this one
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]);
                shown
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push_str(&text);
            }
        });
        Some(Self {
            child,
            keyboard,
            screen,
            seen: 0,
        })
    }

    pub(crate) fn screen(&self) -> String {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        screen.clone()
    }

    /// Waits until a text is shown, behind the one before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if let Some(at) = screen[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("expected {text:?} behind {} of {screen:?}", self.seen);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("typed");
    }

    /// Waits for the end.
    #[track_caller]
    pub(crate) fn end(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            if Instant::now() > deadline {
                let _ = self.child.kill();
                panic!("no end: {:?}", self.screen());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// What stands before a line that is typed.
const PROMPT: &str = "> ";

#[test]
fn ctrl_c_ends_an_answer_and_then_a_line_and_ctrl_d_the_chat() {
    let world = World::new();
    let (model, template) = endless(&world);
    let arguments = ["chat", &model, "--template", &template];
    let Some(mut terminal) = Terminal::start(&world, &arguments) else {
        return;
    };
    terminal.expect("/help lists the commands");
    terminal.expect(PROMPT);
    terminal.keys("Anna lives in\r");
    terminal.expect("asked,");
    terminal.keys(CTRL_C);
    terminal.expect("(interrupted)");
    terminal.expect(PROMPT);
    // the last line again
    terminal.keys(UP);
    terminal.expect("Anna lives in");
    terminal.keys(CTRL_C);
    terminal.expect("press Ctrl-C again or type /quit to exit");
    terminal.expect(PROMPT);
    for (line, answer) in [
        ("/system Answer in one word.", "system prompt set"),
        ("/system", "system prompt reset to the model's"),
        ("/reset", "conversation cleared"),
        ("/compare hi", "nothing to compare"),
        ("/nonsense", "unknown command `/nonsense`"),
    ] {
        terminal.keys(&format!("{line}\r"));
        terminal.expect(answer);
        terminal.expect(PROMPT);
    }
    terminal.keys("Anna lives in\r");
    terminal.expect("asked,");
    terminal.keys(CTRL_C);
    terminal.expect("(interrupted)");
    terminal.expect(PROMPT);
    terminal.keys(CTRL_D);
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_second_ctrl_c_at_the_prompt_ends_the_chat() {
    let world = World::new();
    let Some(mut terminal) = Terminal::start(&world, &["chat", RECIPE]) else {
        return;
    };
    terminal.expect(PROMPT);
    terminal.keys("/compare Where does Anna live?\r");
    for heading in ["(the merge)", "── base", "── instruct"] {
        terminal.expect(heading);
        terminal.expect("Anna");
    }
    terminal.expect(PROMPT);
    terminal.keys(CTRL_C);
    terminal.expect("Ctrl-C again");
    terminal.expect(PROMPT);
    terminal.keys(CTRL_C);
    assert_eq!(terminal.end().code(), Some(0));
}

#[test]
fn a_long_prompt_shows_how_far_it_is_and_can_be_stopped() {
    let world = World::new();
    let model = copy_without(&world, "nothing");
    let prompt = "Anna lives in Rome. ".repeat(6000);
    let arguments = ["generate", &model, "--raw", "--prompt", &prompt];
    let Some(mut terminal) = Terminal::start(&world, &arguments) else {
        return;
    };
    terminal.expect("processing the prompt");
    terminal.expect("tokens, ");
    terminal.keys(CTRL_C);
    terminal.expect("interrupted after ");
    terminal.expect(" tokens of prompt at ");
    assert_eq!(terminal.end().code(), Some(130));
}
