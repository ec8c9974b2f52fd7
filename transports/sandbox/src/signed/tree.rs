//! The fields of a form message as a tree, and the order in which its values are signed.
//!
//! Owns nested fields: names with brackets, and the flattening of the vendor's printed sample. Does not
//! know keys, nor how a message came.

use serde_json::Value;

use crate::pg_sig::{Fields, SIG};
use crate::xml::Element;

/// The fields of a message, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree(pub(crate) Vec<(String, Node)>);

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    Tree(Tree),
}

/// How deep fields may stand in each other.
const DEEPEST: usize = 8;

impl Tree {
    /// Takes names with brackets, such as `pg_receipt_positions[0][count]`. `None` if brackets do not
    /// match, or if a field has both a text and fields.
    pub(crate) fn from_pairs(pairs: Fields) -> Option<Self> {
        let mut tree = Self::default();
        for (name, value) in pairs {
            match name.find('[') {
                None => tree.0.push((name, Node::Text(value))),
                Some(at) => {
                    let (first, rest) = name.split_at_checked(at)?;
                    let inner = rest.strip_prefix('[')?.strip_suffix(']')?;
                    let keys: Vec<&str> = inner.split("][").collect();
                    if keys.iter().any(|key| key.contains(['[', ']'])) || keys.len() > DEEPEST {
                        return None;
                    }
                    tree.put(first, &keys, value)?;
                }
            }
        }
        Some(tree)
    }

    fn put(&mut self, name: &str, keys: &[&str], value: String) -> Option<()> {
        let Some((key, keys)) = keys.split_first() else {
            self.0.push((name.to_owned(), Node::Text(value)));
            return Some(());
        };
        let at = match self.0.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                self.0.push((name.to_owned(), Node::Tree(Self::default())));
                self.0.len().checked_sub(1)?
            }
        };
        match self.0.get_mut(at) {
            Some((_, Node::Tree(inner))) => inner.put(key, keys, value),
            _ => None,
        }
    }

    /// Takes the children of an element. An element without children is a text.
    pub(crate) fn from_xml(element: &Element) -> Self {
        let node = |child: &Element| match child.children.is_empty() {
            true => Node::Text(child.text.clone()),
            false => Node::Tree(Self::from_xml(child)),
        };
        Self(element.children.iter().map(|child| (child.name.clone(), node(child))).collect())
    }

    /// Takes a JSON object. A number is signed as its shortest decimal text (assumed: send texts). What
    /// `true`, `false` and `null` are signed as is unknown, so that they are not taken.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let node = |value: &Value| match value {
            Value::String(text) => Some(Node::Text(text.clone())),
            Value::Number(number) => Some(Node::Text(number.to_string())),
            Value::Object(_) | Value::Array(_) => Self::from_json(value).map(Node::Tree),
            _ => None,
        };
        match value {
            Value::Object(fields) => {
                let fields = fields.iter().map(|(name, value)| Some((name.clone(), node(value)?)));
                fields.collect::<Option<_>>().map(Self)
            }
            Value::Array(list) => {
                let entries = list.iter().enumerate();
                let entries = entries.map(|(at, value)| Some((at.to_string(), node(value)?)));
                entries.collect::<Option<_>>().map(Self)
            }
            _ => None,
        }
    }

    /// Returns the text of the field with this name, if there is exactly one.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        match (found.next(), found.next()) {
            (Some((_, Node::Text(text))), None) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// Returns the signature among the fields, and all other values under the names by which the printed
    /// sample sorts them: the parent's name, the own name, and the place in the parent, from 1 and with
    /// three digits. `None` if there is not exactly one signature.
    pub(crate) fn flattened(&self) -> Option<(&str, Fields)> {
        let signature = self.one(SIG)?;
        let mut leaves = Fields::new();
        let others = self.0.iter().filter(|(name, _)| name != SIG);
        flatten("", others, &mut leaves);
        Some((signature, leaves))
    }
}

fn flatten<'a>(
    parent: &str,
    fields: impl Iterator<Item = &'a (String, Node)>,
    leaves: &mut Fields,
) {
    for (at, (name, node)) in fields.enumerate() {
        let name = format!("{parent}{name}{:03}", at + 1);
        match node {
            Node::Text(text) => leaves.push((name, text.clone())),
            Node::Tree(inner) => flatten(&name, inner.0.iter(), leaves),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::pg_sig::{signature, signature_without_script};
    use crate::urlencoded;

    const FILES: [&str; 2] = [
        include_str!("../../../../core/tests/fixtures/pg_sig.json"),
        include_str!("../../../../core/tests/fixtures/pg_sig-more.json"),
    ];

    fn vectors() -> Vec<Value> {
        let files = FILES.map(|file| serde_json::from_str::<Value>(file).unwrap());
        files.iter().flat_map(|file| file["vectors"].as_array().unwrap().clone()).collect()
    }

    /// A vector's fields are pairs, and a value is a text or again such pairs.
    fn tree(fields: &Value) -> Tree {
        let pair = |pair: &Value| {
            let node = match &pair[1] {
                Value::Array(_) => Node::Tree(tree(&pair[1])),
                text => Node::Text(text.as_str().unwrap().to_owned()),
            };
            (pair[0].as_str().unwrap().to_owned(), node)
        };
        Tree(fields.as_array().unwrap().iter().map(pair).collect())
    }

    fn is_right(vector: &Value, fields: &Tree) -> bool {
        let Some((found, leaves)) = fields.flattened() else { return false };
        let key = vector["secret"].as_str().unwrap();
        let own = match vector["script"].as_str() {
            Some(script) => signature(script, &leaves, key),
            None => signature_without_script(&leaves, key),
        };
        own == found
    }

    fn signed(fields: &Value, signature: &Value) -> Tree {
        let mut tree = tree(fields);
        let at = tree.0.len() / 2;
        let signature = Node::Text(signature.as_str().unwrap().to_owned());
        tree.0.insert(at, (SIG.to_owned(), signature));
        tree
    }

    #[test]
    fn each_vector_verifies_and_the_other_readings_do_not() {
        let (mut seen, mut others) = (0, 0);
        for vector in vectors() {
            let fields = signed(&vector["fields"], &vector["pg_sig"]);
            assert!(is_right(&vector, &fields), "{}", vector["id"]);
            for other in vector["other_readings"].as_object().into_iter().flatten() {
                let fields = signed(&vector["fields"], &other.1["pg_sig"]);
                assert!(!is_right(&vector, &fields), "{} {}", vector["id"], other.0);
                others += 1;
            }
            seen += 1;
        }
        assert!((seen, others) >= (33, 6), "{seen} {others}");
    }

    #[test]
    fn each_message_is_read_from_its_form_and_verifies() {
        let mut forms = Vec::new();
        for vector in vectors() {
            let Some(wire) = vector["wire"].as_str() else { continue };
            let read = match vector["form"].as_str().unwrap() {
                "form" => urlencoded::read(wire).and_then(Tree::from_pairs),
                "xml" => Element::read(wire.as_bytes()).map(|root| Tree::from_xml(&root)),
                "json" => Tree::from_json(&serde_json::from_str(wire).unwrap()),
                other => panic!("{other}"),
            };
            forms.push(vector["form"].as_str().unwrap().to_owned());
            assert!(is_right(&vector, &read.unwrap()), "{}", vector["id"]);
        }
        forms.sort();
        forms.dedup();
        assert_eq!(forms, ["form", "json", "xml"]);
    }

    #[test]
    fn each_message_that_must_not_verify_is_refused() {
        let file: Value = serde_json::from_str(FILES[0]).unwrap();
        let mut seen = 0;
        for case in file["must_not_verify"].as_array().unwrap() {
            let base =
                vectors().into_iter().find(|vector| vector["id"] == case["based_on"]).unwrap();
            let mut fields = base["fields"].clone();
            for (name, value) in case["change"].as_object().into_iter().flatten() {
                let pairs = fields.as_array_mut().unwrap();
                pairs.iter_mut().find(|pair| pair[0] == name.as_str()).unwrap()[1] = value.clone();
            }
            let message = match (case.get("pg_sig"), case["id"].as_str().unwrap()) {
                (None, "neg-missing-sig") => tree(&fields),
                (Some(signature), _) => signed(&fields, signature),
                (None, _) => signed(&fields, &base["pg_sig"]),
            };
            assert!(!is_right(&base, &message), "{}", case["id"]);
            seen += 1;
        }
        assert_eq!(seen, 15);
    }
}
