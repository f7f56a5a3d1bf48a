//! Which of the surviving mutants change a verdict: the prover is attacked with each, and all verdicts are compared
//! with those without a mutant.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use crate::process::{Outcome, Run};
use crate::program::Program;
use crate::trial::{ATTACKS, DAY, Fate, Results, each, of_target};

/// So many changed verdicts are kept of one mutant.
const KEPT: usize = 8;

/// What a mutant does to verdicts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Effect {
    /// Nothing, in those that were looked at.
    None,
    /// So many verdicts are others; the first of them, as they were and as they are.
    Changes(usize, Vec<String>),
    NeverEnds,
}

/// What is kept in `verdicts.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Verdicts {
    /// Right gradients that were checked, by `BACKPROOF_CHECKS`.
    pub(crate) checks: u32,
    /// Verdicts without a mutant.
    pub(crate) all: usize,
    pub(crate) effects: BTreeMap<u32, Effect>,
}

impl Verdicts {
    pub(crate) fn load(work: &Path) -> Result<Self, String> {
        match fs::read_to_string(work.join("verdicts.json")) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| format!("verdicts.json: {error}")),
            Err(_) => Ok(Self::default()),
        }
    }

    pub(crate) fn save(&self, work: &Path) {
        let text = serde_json::to_string_pretty(self).expect("the verdicts are plain data");
        fs::write(work.join("verdicts.json"), text).expect("verdicts.json");
    }
}

/// Looks at every survivor that was not looked at. `checks` right gradients are checked for each.
pub(crate) fn run(program: &Program, work: &Path, jobs: usize, checks: u32) -> Result<Verdicts, String> {
    let attacks = of_target(program, work, "adversaries")?;
    // Each by itself: what fails ends the process, and would hide the verdicts of the others.
    let verdicts = |variable: (&str, String), name: &str, limit: u64| {
        let path = work.join(format!("verdicts-{name}"));
        let (mut all, mut outcome, mut seconds) = (BTreeMap::new(), Outcome::Passed, 0.0);
        for attack in ATTACKS {
            fs::remove_file(&path).ok();
            let told = ("BACKPROOF_VERDICTS", path.display().to_string());
            let variables = [variable.clone(), told, ("BACKPROOF_CHECKS", checks.to_string())];
            let run = attacks.run(&[attack], &variables, limit)?;
            seconds += run.seconds;
            if outcome != Outcome::TimedOut && run.outcome != Outcome::Passed {
                outcome = run.outcome;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
            all.extend(lines.map(|(case, verdict)| (case.to_owned(), verdict.to_owned())));
        }
        fs::remove_file(&path).ok();
        Ok::<_, String>((Run { outcome, seconds }, all))
    };
    let seen = work.join("seen-attacks");
    fs::remove_file(&seen).ok();
    let (_, right) = verdicts(("BACKPROOF_MUTANTS_SEEN", seen.display().to_string()), "right", DAY)?;
    let (run, again) = verdicts(("BACKPROOF_MUTANT", "0".to_owned()), "right", DAY)?;
    let Run { outcome, seconds } = run;
    println!("{} verdicts in {seconds:.1} s without a mutant: {outcome:?}", right.len());
    if right.is_empty() || right != again {
        return Err("two runs without a mutant give other verdicts, or none".into());
    }
    let text = fs::read_to_string(&seen).unwrap_or_default();
    let reached: BTreeSet<u32> = text.lines().filter_map(|line| line.parse().ok()).collect();
    let mut known = Verdicts::load(work)?;
    if known.checks != checks {
        known = Verdicts { checks, ..Verdicts::default() };
    }
    known.all = right.len();
    let results = Results::load(work)?;
    let survivors = results.fates.iter().filter(|(_, fate)| matches!(fate, Fate::Survives | Fate::NotReached));
    let left: Vec<u32> = survivors.map(|(id, _)| *id).filter(|id| !known.effects.contains_key(id)).collect();
    println!("{} survivors to look at", left.len());
    let known = Mutex::new(known);
    each(&left, jobs, |number, &id| {
        let effect = if reached.contains(&id) {
            let name = format!("{id}");
            let (run, found) = verdicts(("BACKPROOF_MUTANT", id.to_string()), &name, 10 + 10 * seconds.ceil() as u64)?;
            if run.outcome == Outcome::TimedOut { Effect::NeverEnds } else { compare(&right, &found) }
        } else {
            Effect::None
        };
        if effect != Effect::None {
            println!("{id} {}: {effect:#?}", program.mutants[&id].text());
        }
        let mut known = known.lock().expect("nothing panics with it");
        known.effects.insert(id, effect);
        known.save(work);
        if number % 10 == 0 {
            println!("{number} of {}", left.len());
        }
        Ok(())
    })?;
    Ok(known.into_inner().expect("nothing panics with it"))
}

fn compare(right: &BTreeMap<String, String>, found: &BTreeMap<String, String>) -> Effect {
    let cases: BTreeSet<&String> = right.keys().chain(found.keys()).collect();
    let none = "nothing".to_owned();
    let changed = cases.into_iter().filter(|case| right.get(*case) != found.get(*case)).map(|case| {
        let [before, after] = [right, found].map(|verdicts| verdicts.get(case).unwrap_or(&none));
        format!("{case}: {before}, now {after}")
    });
    let changed: Vec<String> = changed.collect();
    match changed.len() {
        0 => Effect::None,
        count => Effect::Changes(count, changed.into_iter().take(KEPT).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_and_a_lost_verdict_are_told() {
        let of = |lines: &[(&str, &str)]| lines.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        let right: BTreeMap<String, String> = of(&[("a", "PASS"), ("b", "MISMATCH"), ("c", "PASS")]);
        assert_eq!(compare(&right, &right), Effect::None);
        let found = of(&[("a", "PASS"), ("b", "PASS")]);
        let changes = ["b: MISMATCH, now PASS", "c: PASS, now nothing"].map(String::from).to_vec();
        assert_eq!(compare(&right, &found), Effect::Changes(2, changes));
    }
}
