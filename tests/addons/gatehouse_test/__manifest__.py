{
    "name": "Gatehouse Test",
    "summary": "Models with every kind of field, rule and constraint, for Gatehouse's own tests",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tests",
    "author": "Gatehouse contributors",
    "license": "LGPL-3",
    "depends": ["base"],
    "data": ["security/ir.model.access.csv", "security/rules.xml"],
    "installable": True,
}
