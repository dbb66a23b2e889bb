from hanger_oltp.cli import main

raise SystemExit(main())
