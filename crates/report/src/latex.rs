//! Tables for LaTeX in the manner of its package booktabs, and any text in them.

/// A table: a row has a cell for each column.
#[derive(Debug, Clone, Default)]
pub(crate) struct LatexTable {
    /// What it is of, in a comment at the head of the file.
    pub(crate) about: String,
    /// The columns: `l` for words, `r` for numbers.
    pub(crate) columns: String,
    /// Whether the heads of all columns but the first are turned.
    pub(crate) turned: bool,
    pub(crate) head: Vec<String>,
    /// Rows of text, with a rule between groups.
    pub(crate) groups: Vec<Vec<Vec<String>>>,
}

impl LatexTable {
    /// The file: a `tabular`, for an `\input` in a `table`.
    pub(crate) fn file(&self) -> String {
        let row =
            |cells: &[String]| cells.iter().map(|cell| latex(cell)).collect::<Vec<_>>().join(" & ") + r" \\" + "\n";
        let mut body = String::new();
        for (number, rows) in self.groups.iter().filter(|rows| !rows.is_empty()).enumerate() {
            body += if number > 0 { "\\midrule\n" } else { "" };
            body.extend(rows.iter().map(|cells| row(cells)));
        }
        let turn = |(place, cell): (usize, &String)| match place {
            0 => latex(cell),
            _ => format!("\\rotatebox{{90}}{{{}}}", latex(cell)),
        };
        let head = match self.turned {
            true => self.head.iter().enumerate().map(turn).collect::<Vec<_>>().join(" & ") + r" \\" + "\n",
            false => row(&self.head),
        };
        let about = self.about.split_whitespace().collect::<Vec<_>>().join(" ");
        let about: String = about.chars().filter(|letter| !letter.is_control()).collect();
        let packages = if self.turned { "booktabs and graphicx" } else { "booktabs" };
        let mut text = format!("% {about}\n% Made by backproof. In the preamble: the package {packages}");
        if !head.chars().chain(body.chars()).all(is_known_to_pdflatex) {
            text += "; and XeLaTeX or LuaLaTeX with a font\n";
            text += "% that has all letters of the table: pdfLaTeX does not know some";
        }
        let columns = &self.columns;
        text += &format!(".\n\\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n\\toprule\n{head}\\midrule\n{body}");
        text + "\\bottomrule\n\\end{tabular}\n"
    }
}

/// `text` as words of LaTeX, on one line, whatever it contains.
pub(crate) fn latex(text: &str) -> String {
    // A space that does not break is there to indent.
    let is_space = |letter: char| letter.is_whitespace() && letter != '\u{a0}';
    let line = text.split(is_space).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(line.len());
    let mut before = ' ';
    for letter in line.chars().filter(|letter| !letter.is_control()) {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', letter]),
            '\\' => escaped += r"\textbackslash{}",
            '~' => escaped += r"\textasciitilde{}",
            '^' => escaped += r"\textasciicircum{}",
            '<' => escaped += r"\textless{}",
            '>' => escaped += r"\textgreater{}",
            '|' => escaped += r"\textbar{}",
            // Babel makes letters of quotation marks, and TeX of two hyphens, apostrophes or commas.
            '"' | '`' => escaped += &format!(r"{{\char{}}}", letter as u32),
            '-' | '\'' | ',' if before == letter => escaped.extend(['{', '}', letter]),
            // After a row's end, and at the beginning of a row, it would be an option.
            '[' | ']' | '*' => escaped.extend(['{', letter, '}']),
            '–' => escaped += "--",
            '±' => escaped += r"$\pm$",
            '×' => escaped += r"$\times$",
            '·' => escaped += r"$\cdot$",
            '−' => escaped += "$-$",
            '→' => escaped += r"$\rightarrow$",
            '…' => escaped += r"\dots{}",
            '\u{a0}' => escaped.push('~'),
            other => match greek(other) {
                Some(name) => escaped += &format!("$\\{name}$"),
                None => escaped.push(other),
            },
        }
        before = letter;
    }
    escaped
}

/// Greek letters that have a command in mathematics; capitals that look as Latin ones have none.
fn greek(letter: char) -> Option<&'static str> {
    const SMALL: [&str; 25] = [
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu",
        "xi", "", "pi", "rho", "", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    ];
    let place = (letter as usize).checked_sub('α' as usize)?;
    SMALL.get(place).copied().filter(|name| !name.is_empty())
}

/// Letters of the scripts that pdfLaTeX has fonts for by default.
fn is_known_to_pdflatex(letter: char) -> bool {
    letter.is_ascii() || ('\u{a0}'..='\u{17f}').contains(&letter) || "‘’“”„‚—•€™".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_no_commands() {
        for (text, expected) in [
            ("a&b %c $d$ #e _f {g}", r"a\&b \%c \$d\$ \#e \_f \{g\}"),
            ("~h ^i \\j", r"\textasciitilde{}h \textasciicircum{}i \textbackslash{}j"),
            ("<k> |l|", r"\textless{}k\textgreater{} \textbar{}l\textbar{}"),
            ("\"m\" `n` o--p ''q", r"{\char34}m{\char34} {\char96}n{\char96} o-{}-p '{}'q"),
            ("[r] *s\nt\0", "{[}r{]} {*}s t"),
            ("96.60 ± 0.10 %, 5×5, λ, – …", r"96.60 $\pm$ 0.10 \%, 5$\times$5, $\lambda$, -- \dots{}"),
            ("ος 猫 é", "ος 猫 é"),
        ] {
            assert_eq!(latex(text), expected);
        }
    }

    #[test]
    fn a_table_has_its_rules_and_says_what_it_needs() {
        let cells = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        let mut table = LatexTable {
            about: "Of\na run".to_owned(),
            columns: "lr".to_owned(),
            turned: false,
            head: cells(["class", "recall"]),
            groups: vec![vec![cells(["a_b", "5"])], Vec::new(), vec![cells(["mean", "–"])]],
        };
        let expected = [
            "% Of a run",
            "% Made by backproof. In the preamble: the package booktabs.",
            r"\begin{tabular}{@{}lr@{}}",
            r"\toprule",
            r"class & recall \\",
            r"\midrule",
            r"a\_b & 5 \\",
            r"\midrule",
            r"mean & -- \\",
            r"\bottomrule",
            r"\end{tabular}",
        ];
        assert_eq!(table.file().lines().collect::<Vec<_>>(), expected);
        table.turned = true;
        table.groups[0][0][0] = "\u{a0}\u{a0}猫".to_owned();
        let text = table.file();
        assert!(text.contains("class & \\rotatebox{90}{recall} \\\\\n") && text.contains("\n~~猫 & 5"), "{text}");
        assert!(text.contains("graphicx; and XeLaTeX or LuaLaTeX"), "{text}");
    }
}
