//! wip
pub fn init(_: &crate::settings::Init, _: &crate::settings::Ui) -> crate::Result<()> {
    Ok(())
}
