//! Names that were probably meant, for a name that does not exist.

/// Returns the names that were probably meant, each in backticks: they contain what was typed, or
/// differ in a letter or two.
pub(crate) fn near<'a>(names: impl Iterator<Item = &'a str>, typed: &str) -> Vec<String> {
    let typed = typed.to_lowercase();
    let is_near = |name: &&str| {
        let name = name.to_lowercase();
        let holds = typed.len() > 2 && name.contains(&typed);
        holds || distance(&name, &typed) <= (name.len() / 3).max(1)
    };
    names.filter(is_near).take(3).map(|name| format!("`{name}`")).collect()
}

/// Returns a sentence that asks whether one of these names was meant, after a space. It is empty if
/// none is near.
pub(crate) fn did_you_mean<'a>(names: impl Iterator<Item = &'a str>, typed: &str) -> String {
    let near = near(names, typed);
    if near.is_empty() { String::new() } else { format!(" Did you mean {}?", near.join(" or ")) }
}

/// Returns how many letters must be added, removed or replaced to turn one text into the other.
fn distance(one: &str, other: &str) -> usize {
    // A text that is so much longer is not a misspelt name.
    if other.len() > 2 * one.len() {
        return usize::MAX;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], line + 1);
        for (place, there) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *there);
            diagonal = row[place + 1];
            row[place + 1] = replaced.min(row[place] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}
