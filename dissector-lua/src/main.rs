//! wip
fn main() {
    std::fs::write("dissector-lua/htcpcp.lua", dissector_lua::generate::dissector()).unwrap();
    std::fs::write("dissector-lua/FIELDS.md", dissector_lua::generate::field_reference()).unwrap();
}
