//! Runs the tests for each mutant, and keeps what became of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::process::{self, Outcome, Run};
use crate::program::{Program, State};

/// Long tests of `adversaries` that [`verdicts`](crate::verdicts) runs instead, to see each verdict.
pub(crate) const ATTACKS: [&str; 2] = ["no_right_backward_is_called_wrong", "no_adversary_is_accepted"];
/// Tests that need more seconds are left out: with a mutant that survives, they would all run to their end.
const LONGEST: f64 = 4.0;
/// Tests of one process last about so many seconds, in the first process, the second and so on.
const SHARES: [f64; 5] = [0.05, 0.3, 1.5, 6.0, 20.0];
/// A test that needs so many times the time that it takes without a mutant never ends,
const PATIENCE: f64 = 10.0;
/// and no test that needs less than so many seconds.
const LEAST: f64 = 10.0;

/// In seconds.
pub(crate) const DAY: u64 = 24 * 3600;

/// A test, and which mutants it reaches.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Test {
    pub(crate) target: String,
    pub(crate) name: String,
    pub(crate) seconds: f64,
    pub(crate) passes: bool,
    pub(crate) reached: BTreeSet<u32>,
}

/// What became of a mutant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Fate {
    /// By this test.
    Caught(String),
    NeverEnds,
    Survives,
    /// No test asks for it.
    NotReached,
}

/// What is kept in `results.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) fates: BTreeMap<u32, Fate>,
}

impl Results {
    pub(crate) fn load(work: &Path) -> Result<Self, String> {
        match fs::read_to_string(work.join("results.json")) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| format!("results.json: {error}")),
            Err(_) => Ok(Self::default()),
        }
    }

    pub(crate) fn save(&self, work: &Path) {
        let text = serde_json::to_string_pretty(self).expect("the results are plain data");
        let file = work.join("results.json.part");
        fs::write(&file, text).and_then(|()| fs::rename(&file, work.join("results.json"))).expect("results.json");
    }
}

/// The program of a target.
pub(crate) fn of_target(program: &Program, work: &Path, target: &str) -> Result<process::Program, String> {
    let path = program.tests.get(target).ok_or(format!("there are no tests `{target}`"))?.clone();
    Ok(process::Program { path, folder: work.join("tree/crates/gradcheck") })
}

/// Runs every test by itself without a mutant: how long it takes, and what it reaches. `tests.json` keeps it.
pub(crate) fn tests(program: &Program, work: &Path, jobs: usize) -> Result<Vec<Test>, String> {
    if let Ok(text) = fs::read_to_string(work.join("tests.json")) {
        return serde_json::from_str(&text).map_err(|error| format!("tests.json: {error}"));
    }
    // A folder of this name would keep what generated tests found, for the next mutants.
    fs::write(work.join("tree/crates/gradcheck/proptest-regressions"), "").map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    for target in program.tests.keys() {
        let of_target = of_target(program, work, target)?;
        let tests = of_target.tests()?.into_iter().filter(|name| !ATTACKS.contains(&name.as_str()));
        names.extend(tests.map(|name| (target.clone(), of_target.clone(), name)));
    }
    let found = Mutex::new(Vec::new());
    each(&names, jobs, |number, (target, program, name)| {
        let seen = work.join(format!("seen-{number}"));
        fs::remove_file(&seen).ok();
        let variables = [("BACKPROOF_MUTANTS_SEEN", seen.display().to_string())];
        let Run { outcome, seconds } = program.run(&[name], &variables, LONGEST.ceil() as u64)?;
        let text = fs::read_to_string(&seen).unwrap_or_default();
        fs::remove_file(&seen).ok();
        let reached = text.lines().filter_map(|line| line.parse().ok()).collect();
        let passes = outcome == Outcome::Passed;
        if outcome == Outcome::TimedOut {
            println!("{target}: {name} takes too long, and is left out");
        } else if !passes {
            println!("{target}: {name} fails without a mutant, and is left out: {outcome:?}");
        }
        let test = Test { target: target.clone(), name: name.clone(), seconds, passes, reached };
        found.lock().expect("no test panics").push(test);
        Ok(())
    })?;
    let mut found = found.into_inner().expect("no test panics");
    found.sort_by(|a, b| (&a.target, &a.name).cmp(&(&b.target, &b.name)));
    let text = serde_json::to_string(&found).expect("tests are plain data");
    fs::write(work.join("tests.json"), text).map_err(|error| error.to_string())?;
    Ok(found)
}

/// Tries every mutant that has no fate yet. `files` names the files of which mutants are tried; none means all.
pub(crate) fn run(program: &Program, work: &Path, jobs: usize, files: &[String]) -> Result<Results, String> {
    let tests = tests(program, work, jobs)?;
    let total: f64 = tests.iter().filter(|test| test.passes).map(|test| test.seconds).sum();
    println!("{} tests take {total:.1} s without a mutant", tests.len());
    let results = Results::load(work)?;
    let wanted = |id: &u32| {
        let about = &program.mutants[id];
        about.state == State::Compiled && (files.is_empty() || files.contains(&about.file))
    };
    let left: Vec<u32> =
        program.mutants.keys().filter(|id| wanted(id) && !results.fates.contains_key(id)).copied().collect();
    let started = Instant::now();
    let (results, kills) = (Mutex::new(results), Mutex::new(HashMap::new()));
    each(&left, jobs, |number, &id| {
        let fate = try_one(program, work, &tests, id, &kills)?;
        let mut results = results.lock().expect("nothing panics with it");
        results.fates.insert(id, fate.clone());
        if fate == Fate::Survives || fate == Fate::NotReached || fate == Fate::NeverEnds {
            println!("{fate:?}: {id} {}", program.mutants[&id].text());
        }
        if number % 50 == 0 {
            results.save(work);
            println!("{number} of {} after {:.0} s", left.len(), started.elapsed().as_secs_f64());
        }
        Ok(())
    })?;
    let results = results.into_inner().expect("nothing panics with it");
    results.save(work);
    Ok(results)
}

/// How many mutants each test has caught.
type Kills = Mutex<HashMap<(String, String), u32>>;

fn try_one(program: &Program, work: &Path, tests: &[Test], id: u32, kills: &Kills) -> Result<Fate, String> {
    let file = &program.mutants[&id].file;
    let near = format!("{}::", file.trim_end_matches("/mod.rs").trim_end_matches(".rs").replace('/', "::"));
    let mut reaching: Vec<&Test> = tests.iter().filter(|test| test.passes && test.reached.contains(&id)).collect();
    if reaching.is_empty() {
        return Ok(Fate::NotReached);
    }
    {
        // Those beside the code first, then those that catch most in the least time.
        let kills = kills.lock().expect("nothing panics with it");
        let cost = |test: &Test| {
            let caught = kills.get(&(test.target.clone(), test.name.clone())).copied().unwrap_or(0);
            let weight = f64::from(1 + caught) * if test.name.starts_with(&near) { 20.0 } else { 1.0 };
            (test.seconds + 0.01) / weight
        };
        reaching.sort_by(|a, b| {
            (a.target != "lib").cmp(&(b.target != "lib")).then(cost(a).total_cmp(&cost(b))).then(a.name.cmp(&b.name))
        });
    }
    let mut shares = SHARES.iter().copied();
    let mut rest = &reaching[..];
    while let Some(first) = rest.first() {
        let share = shares.next().unwrap_or(SHARES[SHARES.len() - 1]);
        let (mut count, mut seconds) = (0, 0.0);
        while count < rest.len() && rest[count].target == first.target && (count == 0 || seconds < share) {
            seconds += rest[count].seconds;
            count += 1;
        }
        let names: Vec<&str> = rest[..count].iter().map(|test| test.name.as_str()).collect();
        let limit = (LEAST + PATIENCE * seconds).ceil() as u64;
        let program = of_target(program, work, &first.target)?;
        match program.run(&names, &[("BACKPROOF_MUTANT", id.to_string())], limit)?.outcome {
            Outcome::Passed => rest = &rest[count..],
            Outcome::TimedOut => return Ok(Fate::NeverEnds),
            Outcome::Failed(test) => {
                let of_test = (first.target.clone(), test.clone());
                *kills.lock().expect("nothing panics with it").entry(of_test).or_default() += 1;
                return Ok(Fate::Caught(format!("{}: {test}", first.target)));
            }
        }
    }
    Ok(Fate::Survives)
}

/// Does this for each, several at a time, until one fails.
pub(crate) fn each<T: Sync>(
    all: &[T],
    jobs: usize,
    work: impl Fn(usize, &T) -> Result<(), String> + Sync,
) -> Result<(), String> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let one = || {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let Some(item) = all.get(number) else { return Ok(()) };
                if let Err(error) = work(number, item) {
                    next.store(all.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        };
        let running: Vec<_> = (0..jobs).map(|_| scope.spawn(one)).collect();
        running.into_iter().try_for_each(|worker| worker.join().expect("a worker does not panic"))
    })
}
