//! `chat`: turns and answers.

mod conversation;
mod line;
mod reader;

use std::io::{Write as _, stdout};

use weightsmith_infer::{Finish, Model, Report, Session};
use weightsmith_session::{TextModel, TextModels};

use self::conversation::Conversation;
use self::line::{HELP, Line};
use self::reader::Reader;
use crate::args::{ChatArgs, SamplingArgs};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::printer::{HEADING, Printer};
use crate::settings::text_models;
use crate::terminal_progress::TerminalProgress;
use crate::terminal_text::safe;
use crate::{interrupt, sampling};

/// Reads turns until there are no more.
pub(crate) fn run(args: ChatArgs, printer: &Printer) -> Result<ExitCode, Failure> {
    let ChatArgs {
        model: name,
        system,
        sampling,
        options,
    } = args;
    if name == "-" {
        return Err(Failure::usage(
            "cannot read both the recipe and the turns from standard input",
        )
        .hint("give the recipe as a file"));
    }
    let models = text_models(&options);
    let opened = models.open(&name, TerminalProgress::new(printer).monitor())?;
    // the first turn should not be the one to find out
    opened.model.companions.template()?;
    interrupt::end_generations()?;
    let mut reader = Reader::new()?;
    if reader.is_interactive() {
        printer.talk(&format!(
            "{}; /help lists the commands",
            safe(&opened.introduction())
        ));
    }
    let mut chat = Chat {
        printer,
        models: &models,
        opened: &opened,
        sampling: &sampling,
        session: Session::new(&opened.model),
        conversation: Conversation::new(system),
    };
    let mut failed = false;
    while let Some(line) = reader.line(printer)? {
        match chat.take(&Line::parse(&line)) {
            Ok(Next::Go) => {}
            Ok(Next::End) => break,
            // the chat goes on without the turn
            Err(failure) => {
                failure.report(printer);
                failed = true;
            }
        }
    }
    Ok(if failed && !reader.is_interactive() {
        ExitCode::NotDone
    } else {
        ExitCode::Done
    })
}

/// Whether there is more to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    End,
}

/// A running chat.
#[derive(Debug)]
struct Chat<'a> {
    printer: &'a Printer,
    models: &'a TextModels,
    opened: &'a TextModel,
    sampling: &'a SamplingArgs,
    session: Session<'a>,
    conversation: Conversation,
}

impl Chat<'_> {
    fn take(&mut self, line: &Line) -> Result<Next, Failure> {
        match line {
            Line::Empty => {}
            Line::Say(text) => self.say(text)?,
            Line::Compare(text) => self.compare(text.as_deref())?,
            Line::System(text) => {
                self.conversation.system.clone_from(text);
                self.printer.talk(match text {
                    Some(_) => "system prompt set",
                    None => "system prompt reset to the model's",
                });
            }
            Line::Reset => {
                self.conversation.reset();
                self.session.clear();
                self.printer.talk("conversation cleared");
            }
            Line::Help => self.printer.stderr(HELP),
            Line::Quit => return Ok(Next::End),
            Line::Unknown(name) => {
                return Err(Failure::usage(format!("unknown command `/{name}`")).hint(
                    "`/help` lists the commands; start with // to send a message beginning with /",
                ));
            }
        }
        Ok(Next::Go)
    }

    /// A turn and its answer.
    fn say(&mut self, text: &str) -> Result<(), Failure> {
        self.conversation.ask(text);
        let result = self.answer();
        if result.is_err() {
            self.conversation.take_back();
        }
        result.map(drop)
    }

    /// The model's answer to the open question.
    fn answer(&mut self) -> Result<Report, Failure> {
        let model = &self.opened.model;
        let (text, report) = speak(
            &self.conversation,
            model,
            &mut self.session,
            self.sampling,
            self.printer,
        )?;
        if text.is_empty() && report.finish == Some(Finish::Cancelled) {
            // who stops a prompt from being read takes the turn back
            self.conversation.take_back();
        } else {
            self.conversation.answer(&text);
        }
        Ok(report)
    }

    /// The last turn, or a new one, answered by the merge and its parents; what the merge says is remembered.
    fn compare(&mut self, text: Option<&str>) -> Result<(), Failure> {
        if self.opened.parents.is_empty() {
            return Err(
                Failure::usage("nothing to compare: this is a model, not a recipe")
                    .hint("run `weightsmith chat RECIPE` to compare a merge with its parents"),
            );
        }
        match text {
            Some(text) => self.conversation.ask(text),
            None if self.conversation.reopen() => {}
            None => {
                return Err(Failure::usage("the conversation is empty")
                    .hint("`/compare TEXT` sends TEXT and compares the answers"));
            }
        }
        let question = self.conversation.clone();
        let label = format!("{} (the merge)", self.opened.label);
        let answered = heading(&label).and_then(|()| self.answer());
        if answered.is_err() {
            self.conversation.take_back();
        }
        if answered?.finish == Some(Finish::Cancelled) {
            return Ok(());
        }
        for parent in &self.opened.parents {
            heading(&parent.label)?;
            let model = self.models.parent(parent)?;
            let mut session = Session::new(&model);
            let (_, report) = speak(&question, &model, &mut session, self.sampling, self.printer)?;
            if report.finish == Some(Finish::Cancelled) {
                break;
            }
        }
        Ok(())
    }
}

/// Has a model answer, with its own settings where the options say nothing.
fn speak(
    conversation: &Conversation,
    model: &Model,
    session: &mut Session<'_>,
    sampling: &SamplingArgs,
    printer: &Printer,
) -> Result<(String, Report), Failure> {
    let mut settings = sampling::settings(&model.companions.defaults, sampling);
    model.companions.end_turns(&mut settings);
    let (text, report) = conversation.speak(model, session, &settings, printer)?;
    let summary = sampling::summary(&report, settings.sampling.temperature > 0.0);
    if report.finish == Some(Finish::Cancelled) {
        printer.talk("(interrupted)");
    }
    printer.detail(&summary);
    Ok((text, report))
}

fn heading(label: &str) -> Result<(), Failure> {
    let mut out = anstream::AutoStream::auto(stdout().lock());
    writeln!(out, "{HEADING}── {}{HEADING:#}", safe(label))?;
    Ok(())
}
