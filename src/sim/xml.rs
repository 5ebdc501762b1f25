//! Writing XML: elements within elements, their texts escaped.

use super::text::xml;

/// A document, or a part of one, that is being written.
#[derive(Debug, Default)]
pub(super) struct Xml(String);

impl Xml {
    /// An element with a text.
    pub(super) fn text(&mut self, name: &str, value: impl AsRef<str>) -> &mut Self {
        self.within(name, |inside| inside.0.push_str(&xml(value.as_ref())))
    }

    /// An element with a text, where there is one.
    pub(super) fn maybe(&mut self, name: &str, value: Option<impl AsRef<str>>) -> &mut Self {
        if let Some(value) = value {
            self.text(name, value);
        }
        self
    }

    /// An element with others inside.
    pub(super) fn within(&mut self, name: &str, inside: impl FnOnce(&mut Self)) -> &mut Self {
        self.0.extend(["<", name, ">"]);
        inside(self);
        self.0.extend(["</", name, ">"]);
        self
    }

    /// A list whose entries are called `entry`: `member` or, in EC2, `item`.
    pub(super) fn list<T>(
        &mut self,
        name: &str,
        entry: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.within(name, |list| {
            for item in items {
                list.within(entry, |inside| each(inside, item));
            }
        })
    }

    /// A list of texts.
    pub(super) fn texts<T: AsRef<str>>(
        &mut self,
        name: &str,
        entry: &str,
        items: impl IntoIterator<Item = T>,
    ) -> &mut Self {
        self.within(name, |list| {
            for item in items {
                list.text(entry, item);
            }
        })
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_nest_and_texts_are_escaped() {
        let mut xml = Xml::default();
        xml.text("A", "<&>")
            .maybe("B", None::<&str>)
            .list("C", "member", ["x", "y"], |x, item| {
                x.text("D", item);
            })
            .texts("E", "item", ["z"]);
        assert_eq!(
            xml.finish(),
            "<A>&lt;&amp;&gt;</A><C><member><D>x</D></member><member><D>y</D></member></C>\
             <E><item>z</item></E>"
        );
    }
}
