//! The difference between two texts, line by line.

/// Returns the lines that were removed (`-`) and added (`+`), each change under the scene that it is in.
pub(super) fn lines(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    // The longest common rest, from each pair of places on.
    let mut common = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            common[i][j] = match one == other {
                true => common[i + 1][j + 1] + 1,
                false => common[i + 1][j].max(common[i][j + 1]),
            };
        }
    }
    let (mut i, mut j, mut scene, mut changes) = (0, 0, "", Vec::new());
    let mut change = |scene: &mut &str, line: String| {
        if !scene.is_empty() {
            changes.push(std::mem::take(scene).to_owned());
        }
        changes.push(line);
    };
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            if old[i].starts_with("$ ") || old[i].starts_with("# ") {
                scene = old[i];
            }
            (i, j) = (i + 1, j + 1);
        } else if j == new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            change(&mut scene, format!("- {}", old[i]));
            i += 1;
        } else {
            change(&mut scene, format!("+ {}", new[j]));
            j += 1;
        }
    }
    changes.join("\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_change_is_shown_under_its_scene() {
        let (old, new) = ("$ imts token\nsigned in\nend\n", "$ imts token\nsigned out\nend\n");
        assert_eq!(super::lines(old, new), "$ imts token\n- signed in\n+ signed out");
        assert_eq!(super::lines(old, old), "");
    }
}
