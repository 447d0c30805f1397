def h(event, c):
    x = event["a"]
    os.system("ls " + x)
    open("/tmp/token", "w")
