//! What became of the mutants, in a file of the repository, so that the runs of one day go on with those of another.
//!
//! A fate counts as long as the file in which the mutant is stays as it is, byte by byte. That a later test catches a
//! survivor, or that a change elsewhere makes another of it, shows only where it is tried again: take it out of the
//! record.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::program::{About, Program};
use crate::trial::{Fate, Results};
use crate::verdicts::{Effect, Verdicts};

/// Where it is, from the root of the repository.
const FILE: &str = "mutants/record.json";

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// By the name of the file in `src`.
    files: BTreeMap<String, OfFile>,
}

/// The mutants of one file.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct OfFile {
    sha256: String,
    caught: BTreeSet<String>,
    never_end: BTreeSet<String>,
    not_reached: BTreeSet<String>,
    /// With what the attacks showed, if they were run with it.
    survive: BTreeMap<String, Option<Effect>>,
}

/// A mutant within its file: `12:34 replace < with <=`.
fn name(about: &About) -> String {
    format!("{}:{} {}", about.line, about.column, about.what)
}

fn sha256(root: &Path, file: &str) -> Result<String, String> {
    let path = root.join("crates/gradcheck/src").join(file);
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

impl Record {
    pub(crate) fn load(root: &Path) -> Result<Self, String> {
        match fs::read_to_string(root.join(FILE)) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| format!("{FILE}: {error}")),
            Err(_) => Ok(Self::default()),
        }
    }

    /// Adds to `results` and `verdicts` what is known of mutants in files that have not changed; how many those are.
    pub(crate) fn restore(
        &self,
        root: &Path,
        program: &Program,
        results: &mut Results,
        verdicts: &mut Verdicts,
    ) -> Result<usize, String> {
        let mut restored = 0;
        for (file, known) in &self.files {
            if sha256(root, file).ok().as_ref() != Some(&known.sha256) {
                continue;
            }
            for (id, about) in program.mutants.iter().filter(|(_, about)| about.file == *file) {
                if results.fates.contains_key(id) {
                    continue;
                }
                let name = name(about);
                let fate = if known.caught.contains(&name) {
                    Fate::Caught("an earlier run".to_owned())
                } else if known.never_end.contains(&name) {
                    Fate::NeverEnds
                } else if known.not_reached.contains(&name) {
                    Fate::NotReached
                } else if let Some(effect) = known.survive.get(&name) {
                    if let Some(effect) = effect {
                        verdicts.effects.entry(*id).or_insert_with(|| effect.clone());
                    }
                    Fate::Survives
                } else {
                    continue;
                };
                results.fates.insert(*id, fate);
                restored += 1;
            }
        }
        Ok(restored)
    }

    /// Writes the fates that are known.
    pub(crate) fn save(root: &Path, program: &Program, results: &Results, verdicts: &Verdicts) -> Result<(), String> {
        let mut files: BTreeMap<String, OfFile> = BTreeMap::new();
        for (id, fate) in &results.fates {
            let Some(about) = program.mutants.get(id) else { continue };
            if !files.contains_key(&about.file) {
                let of_file = OfFile { sha256: sha256(root, &about.file)?, ..OfFile::default() };
                files.insert(about.file.clone(), of_file);
            }
            let (of_file, name) = (files.get_mut(&about.file).expect("it is there"), name(about));
            match fate {
                Fate::Caught(_) => drop(of_file.caught.insert(name)),
                Fate::NeverEnds => drop(of_file.never_end.insert(name)),
                Fate::NotReached => drop(of_file.not_reached.insert(name)),
                Fate::Survives => drop(of_file.survive.insert(name, verdicts.effects.get(id).cloned())),
            }
        }
        let text = serde_json::to_string_pretty(&Self { files }).expect("a record is plain data");
        fs::write(root.join(FILE), text + "\n").map_err(|error| format!("{FILE}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::State;

    #[test]
    fn fates_come_back_as_long_as_the_file_stays() {
        let root = std::env::temp_dir().join(format!("mutants-record-{}", std::process::id()));
        let source = root.join("crates/gradcheck/src");
        fs::create_dir_all(&source).unwrap();
        fs::create_dir_all(root.join("mutants")).unwrap();
        fs::write(source.join("a.rs"), "fn f() {}").unwrap();
        let about = |line: usize| About {
            file: "a.rs".into(),
            line,
            column: 1,
            function: "f".into(),
            what: "replace < with <=".into(),
            state: State::Compiled,
        };
        let program = Program { mutants: (1..=5).map(|id| (id, about(id as usize))).collect(), ..Program::default() };
        let mut results = Results::default();
        let fates = [Fate::Caught("lib: test".into()), Fate::NeverEnds, Fate::NotReached, Fate::Survives];
        results.fates.extend((1..).zip(fates));
        let mut verdicts = Verdicts::default();
        verdicts.effects.insert(4, Effect::None);
        Record::save(&root, &program, &results, &verdicts).unwrap();

        let restore = || {
            let (mut results, mut verdicts) = (Results::default(), Verdicts::default());
            let record = Record::load(&root).unwrap();
            let count = record.restore(&root, &program, &mut results, &mut verdicts).unwrap();
            (count, results.fates, verdicts.effects)
        };
        results.fates.insert(1, Fate::Caught("an earlier run".into()));
        assert_eq!(restore(), (4, results.fates, verdicts.effects));
        fs::write(source.join("a.rs"), "fn f() { }").unwrap();
        assert_eq!(restore().0, 0);
        fs::remove_dir_all(&root).unwrap();
    }
}
