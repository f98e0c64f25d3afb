//! The `weightsmith` command as users run it: exit codes, output, and what is left on the disk.

mod bad_input;
mod check;
mod diff;
mod disk;
mod explain;
mod found_recipes;
mod host;
mod hub;
mod inspect;
mod interrupt;
mod merge;
mod methods;
mod parameters;
mod serve;
mod shells;
mod speech;
mod speech_bad_input;
mod speech_eval;
mod speech_save;
mod speech_sweep;
mod speech_terminal;
mod stores;
mod studio;
mod unreadable;
mod verify;
mod world;
