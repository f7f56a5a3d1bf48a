//! Flags from variables, `BACKPROOF_` and the flag's name.
//!
//! clap reads the variables. This module adds four rules: an empty variable is unset; the variable of a flag that takes
//! no value says yes or no in many words; `BACKPROOF_SET` holds several overrides; and an error names the variable that
//! caused it.

use std::ffi::{OsStr, OsString};
use std::sync::OnceLock;

use clap::builder::{BoolishValueParser, Resettable, StyledStr};
use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// The arguments of this process that came from variables, a sentence each. Errors that are found after parsing show
/// them.
static IN_EFFECT: OnceLock<Vec<String>> = OnceLock::new();

/// A sentence for each argument that came from a variable.
pub(crate) fn in_effect() -> &'static [String] {
    IN_EFFECT.get().map_or(&[], Vec::as_slice)
}

/// Reads `arguments`, the program's name among them, and the variables.
///
/// # Errors
///
/// clap's, which may also be the help that was asked for. It names the variables that it is about.
pub(super) fn matches(make: impl Fn() -> Command, arguments: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let mut command = reading(make(), None);
    let matches = command.try_get_matches_from_mut(arguments).map_err(|error| named(error, &make, arguments))?;
    let used = used(&command, &matches);
    IN_EFFECT.get_or_init(|| used.iter().map(|argument| sentence(argument)).collect());
    Ok(matches)
}

/// Whether the argument `id` of the command that was chosen came from its variable.
pub(super) fn is_source(matches: &ArgMatches, id: &str) -> bool {
    match matches.subcommand() {
        Some((_, below)) => is_source(below, id),
        None => matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::EnvVariable),
    }
}

/// `command`, which ignores empty variables and the variable `without`. A number that is no valid one is called that, and
/// not taken for a flag.
fn reading(command: Command, without: Option<&OsStr>) -> Command {
    let argument = |argument: Arg| {
        let takes_value = argument.get_long().is_some() && argument.get_action().takes_values();
        let argument = if takes_value { argument.allow_negative_numbers(true) } else { argument };
        let Some(name) = argument.get_env() else { return argument };
        if without == Some(name) || std::env::var_os(name).is_none_or(|value| value.is_empty()) {
            return argument.env(Resettable::Reset);
        }
        match argument.get_action() {
            ArgAction::SetTrue => argument.value_parser(BoolishValueParser::new()),
            _ => argument,
        }
    };
    command.mut_args(argument).mut_subcommands(|below| reading(below, without))
}

/// The arguments that came from variables.
fn used<'a>(command: &'a Command, matches: &ArgMatches) -> Vec<&'a Arg> {
    if let Some((name, below)) = matches.subcommand() {
        return command.find_subcommand(name).map_or_else(Vec::new, |command| used(command, below));
    }
    let is_used = |argument: &&Arg| {
        let id = argument.get_id().as_str();
        let is_off = || matches!(argument.get_action(), ArgAction::SetTrue) && !matches.get_flag(id);
        argument.get_env().is_some() && is_source(matches, id) && !is_off()
    };
    command.get_arguments().filter(is_used).collect()
}

/// The error with the names of the variables that caused it: without such a variable there is no error, or another one.
fn named(mut error: clap::Error, make: &impl Fn() -> Command, arguments: &[OsString]) -> clap::Error {
    if !error.use_stderr() {
        return error; // help or the version, and no error
    }
    let mut command = reading(make(), None);
    command.build(); // an argument can be shown only then
    let mut arguments_with_variables = Vec::new();
    collect(&command, &mut arguments_with_variables);
    let text = error.to_string();
    let mut tips: Vec<StyledStr> = Vec::new();
    let mut tried: Vec<&OsStr> = Vec::new();
    for argument in &arguments_with_variables {
        let Some(name) = argument.get_env().filter(|name| !tried.contains(name)) else { continue };
        tried.push(name);
        let otherwise = reading(make(), Some(name)).try_get_matches_from_mut(arguments);
        if otherwise.err().is_none_or(|other| other.to_string() != text) {
            // Commands may share a variable; the argument is the one that the error shows.
            let same = arguments_with_variables.iter().filter(|it| it.get_env() == Some(name));
            let shown = same.clone().find(|it| text.contains(&it.to_string()));
            let argument = shown.unwrap_or(argument);
            let holds = match argument.get_action() {
                ArgAction::SetTrue => "; it holds 1, 0, yes, no, on, off, true or false",
                _ => "",
            };
            tips.push(format!("{}{holds}", sentence(argument)).into());
        }
    }
    if !tips.is_empty() {
        if let Some(ContextValue::StyledStrs(others)) = error.get(ContextKind::Suggested) {
            tips.extend(others.iter().cloned());
        }
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips));
    }
    error
}

/// Every argument that reads a variable, of `command` and of those below it.
fn collect(command: &Command, arguments: &mut Vec<Arg>) {
    arguments.extend(command.get_arguments().filter(|argument| argument.get_env().is_some()).cloned());
    command.get_subcommands().for_each(|below| collect(below, arguments));
}

/// The variable of every argument of `command` and of the commands below it.
pub(super) fn names(command: &Command) -> Vec<String> {
    let mut arguments = Vec::new();
    collect(command, &mut arguments);
    let mut names: Vec<String> =
        arguments.iter().filter_map(Arg::get_env).map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// `--name comes from the variable BACKPROOF_NAME`.
fn sentence(argument: &Arg) -> String {
    let name = argument.get_env().unwrap_or_default().to_string_lossy();
    let what = match argument.get_long() {
        Some(long) => format!("--{long}"),
        None => argument.to_string(),
    };
    let holds = if argument.get_id() == "overrides" { "; several are separated by `;`" } else { "" };
    format!("{what} comes from the variable {name}{holds}")
}

/// The overrides in a variable: separated by `;` or by lines, but not inside of a value in quotes or brackets.
pub(super) fn overrides(text: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let (mut quote, mut depth) = (None, 0_usize);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let current = found.last_mut().expect("there is always one");
        if quote.is_none() && depth == 0 && matches!(character, ';' | '\n') {
            found.push(String::new());
            continue;
        }
        // A bare text may have an apostrophe or a bracket in it; what begins with one is TOML.
        let value = current.split_once('=').map(|(_, value)| value.trim_start());
        let is_toml = value.is_some_and(|value| value.is_empty() || value.starts_with(['[', '{', '"', '\'']));
        current.push(character);
        match (quote, character) {
            _ if !is_toml => {}
            (Some('"'), '\\') => current.extend(characters.next()),
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    found.iter().map(|text| text.trim()).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_holds_several_overrides() {
        for (text, expected) in [
            ("seed=3", &["seed=3"][..]),
            ("seed=3; name=a", &["seed=3", "name=a"]),
            ("seed=3\nname=a\n", &["seed=3", "name=a"]),
            (";;seed=3;", &["seed=3"]),
            ("name='a;b';seed=3", &["name='a;b'", "seed=3"]),
            ("name = \"a\\\";b\" ; seed=3", &["name = \"a\\\";b\"", "seed=3"]),
            ("model.layers=[{type='a;'};\n2];seed=3", &["model.layers=[{type='a;'};\n2]", "seed=3"]),
            (
                "optimizer.schedule={ type = \"step\", every = 10 };seed=3",
                &["optimizer.schedule={ type = \"step\", every = 10 }", "seed=3"],
            ),
            ("model.init_from=it's [a;seed=3", &["model.init_from=it's [a", "seed=3"]),
            // Never closed: one override, of which the error is then.
            ("name='a;seed=3", &["name='a;seed=3"]),
            ("seed", &["seed"]),
        ] {
            assert_eq!(overrides(text), expected, "{text}");
        }
    }

    #[test]
    fn every_flag_has_the_variable_of_its_name() {
        fn check(command: &Command) {
            for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
                let Some(long) = argument.get_long() else { continue };
                let expected = format!("BACKPROOF_{}", long.to_uppercase().replace('-', "_"));
                assert_eq!(argument.get_env(), Some(OsStr::new(&expected)), "--{long}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&<crate::cli::Cli as clap::CommandFactory>::command());
    }
}
