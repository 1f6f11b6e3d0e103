package catalog

type Catalog struct{}

func New() *Catalog { return &Catalog{} }

func (c *Catalog) Run() {}
