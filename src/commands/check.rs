//! wip
pub fn check(_: &crate::settings::Check, _: &crate::settings::Ui) -> crate::Result<()> {
    Ok(())
}
