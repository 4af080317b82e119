"""Try it: the console that calls an API's endpoints out of the panel, through the very door that clients come by."""
