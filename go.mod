module bayesbench

go 1.26

