//! Who imports what a stack exports.

use super::stack_arn;
use crate::sim::access::authorize;
use crate::sim::caller::Caller;
use crate::sim::error::AwsError;
use crate::sim::query::{Form, required, validation};
use crate::sim::world::World;
use crate::sim::xml::Xml;

impl World {
    /// `ListImports`.
    pub(super) fn list_imports(&self, form: &Form, caller: &Caller) -> Result<String, AwsError> {
        authorize(
            caller,
            "cloudformation:ListImports",
            &stack_arn(caller, "*", "*"),
        )?;
        let export = required(form, "ExportName", "exportName")?;
        let stacks = self.stacks.of(&caller.account, &caller.region).iter();
        let there = stacks.filter(|stack| !stack.is_deleted() && stack.imported.contains(export));
        let names: Vec<&str> = there.map(|stack| stack.name.as_str()).collect();
        if names.is_empty() {
            let why = format!("Export '{export}' is not imported by any stack.");
            return Err(validation(why));
        }
        let mut xml = Xml::default();
        xml.texts("Imports", "member", names);
        Ok(xml.finish())
    }
}
