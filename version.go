package meshnode

// Version of the module.
const Version = "0.1.0"
