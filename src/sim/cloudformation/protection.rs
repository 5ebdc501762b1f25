//! Termination protection: a stack that has it is not deleted.

use super::no_stack;
use crate::sim::error::AwsError;
use crate::sim::query::{Form, constraint, required, validation};
use crate::sim::world::{Arrival, World};
use crate::sim::xml::Xml;

impl World {
    /// `UpdateTerminationProtection`.
    pub(super) fn update_protection(
        &mut self,
        form: &Form,
        arrival: &Arrival,
    ) -> Result<String, AwsError> {
        const FLAG: &str = "EnableTerminationProtection";
        let caller = &arrival.caller;
        let name = required(form, "StackName", "stackName")?;
        let wanted = match required(form, FLAG, "enableTerminationProtection")? {
            "true" => true,
            "false" => false,
            other => {
                let rule = "Member must be a boolean";
                return Err(constraint(other, "enableTerminationProtection", rule));
            }
        };
        let stack = self.allowed_stack(caller, "UpdateTerminationProtection", name)?;
        let stack = stack.filter(|stack| !stack.is_deleted());
        let stack = stack.ok_or_else(|| no_stack(name))?;
        if wanted && stack.status == "DELETE_IN_PROGRESS" {
            let why = format!(
                "Termination protection cannot be enabled on stack [{}] in DELETE_IN_PROGRESS state",
                stack.name
            );
            return Err(validation(why));
        }
        let id = stack.id.clone();
        let changes = stack.protected != wanted;
        let stacks = self.stacks.entry(&caller.account, &caller.region);
        if let Some(stack) = stacks.iter_mut().find(|stack| stack.id == id) {
            stack.protected = wanted;
        }
        // What is so already is no change.
        if changes {
            self.recorder.changed(arrival.seq);
        }
        let mut xml = Xml::default();
        xml.text("StackId", &id);
        Ok(xml.finish())
    }
}
