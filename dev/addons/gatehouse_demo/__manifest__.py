{
    "name": "Gatehouse Demo",
    "summary": "A method on companies that Gatehouse's demo API calls",
    "version": "19.0.1.0.0",
    "category": "Hidden/Tools",
    "author": "Gatehouse contributors",
    "license": "LGPL-3",
    "depends": ["base"],
    "installable": True,
}
