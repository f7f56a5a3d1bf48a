//! What became of the mutants, by file.

use std::collections::BTreeMap;

use crate::program::{Program, State};
use crate::trial::{Fate, Results};
use crate::verdicts::{Effect, Verdicts};

#[derive(Default, Clone, Copy)]
struct Counts {
    mutants: usize,
    caught: usize,
    never_end: usize,
    unviable: usize,
    survive: usize,
    not_tried: usize,
    change: usize,
}

/// A table in Markdown, with the sum in its last row, and what was left out.
pub(crate) fn table(program: &Program, results: &Results, verdicts: &Verdicts) -> String {
    let mut files: BTreeMap<&str, Counts> = BTreeMap::new();
    for (id, about) in &program.mutants {
        for name in [about.file.as_str(), "~"] {
            let counts = files.entry(name).or_default();
            counts.mutants += 1;
            match (about.state, results.fates.get(id)) {
                (State::Unviable, _) => counts.unviable += 1,
                (State::NotSwitched, _) | (_, None) => counts.not_tried += 1,
                (_, Some(Fate::Caught(_))) => counts.caught += 1,
                (_, Some(Fate::NeverEnds)) => counts.never_end += 1,
                (_, Some(Fate::Survives | Fate::NotReached)) => {
                    counts.survive += 1;
                    counts.change += usize::from(changes(verdicts, *id));
                }
            }
        }
    }
    let mut lines = vec![
        "| file | mutants | caught | never end | unviable | survive | of these change a verdict | not tried |"
            .to_owned(),
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |".to_owned(),
    ];
    for (file, c) in files {
        let name = if file == "~" { "all".to_owned() } else { format!("`{file}`") };
        lines.push(format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            c.mutants, c.caught, c.never_end, c.unviable, c.survive, c.change, c.not_tried
        ));
    }
    let out = &program.left_out;
    lines.push(format!(
        "\nLeft out: {} arms, {} fields, {} constants, {} unsafe functions, {} functions of Display and Debug, {} `&&` \
         beside a `let`.",
        out.arms, out.fields, out.constants, out.unsafe_functions, out.words, out.chains
    ));
    lines.push(format!("{} verdicts were compared for each survivor.", verdicts.all));
    lines.join("\n")
}

/// Each survivor, those that change a verdict first.
pub(crate) fn survivors(program: &Program, results: &Results, verdicts: &Verdicts) -> String {
    let survives = |id: &u32| matches!(results.fates.get(id), Some(Fate::Survives | Fate::NotReached));
    let mut all: Vec<u32> = program.mutants.keys().copied().filter(survives).collect();
    all.sort_by_key(|id| (!changes(verdicts, *id), *id));
    let line = |id: &u32| {
        let about = &program.mutants[id];
        let fate = &results.fates[id];
        let effect = match verdicts.effects.get(id) {
            None => "not looked at".to_owned(),
            Some(Effect::None) => "no verdict changes".to_owned(),
            Some(Effect::NeverEnds) => "never ends".to_owned(),
            Some(Effect::Changes(count, some)) => format!("{count} verdicts change\n    {}", some.join("\n    ")),
        };
        format!("{id} {fate:?} {}: {effect}", about.text())
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn changes(verdicts: &Verdicts, id: u32) -> bool {
    matches!(verdicts.effects.get(&id), Some(Effect::Changes(..) | Effect::NeverEnds))
}
