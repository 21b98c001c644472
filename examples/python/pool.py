"""A program of multiprocessing: it deals numbers to three workers. Two are processes of its own, the third may be any."""
import sys
from multiprocessing import Process
from multiprocessing.connection import Client, Listener, wait


def work(address, name):
    with Client(address, authkey=b'secret') as conn:
        conn.send(name)
        while True:
            try:
                number = conn.recv()
            except EOFError:
                break
            conn.send(number**2)


def main(address):
    with Listener(address, backlog=3, authkey=b'secret') as listener:
        processes = [Process(target=work, args=(address, f'Python {i}')) for i in (1, 2)]
        for process in processes:
            process.start()
        conns = [listener.accept() for _ in range(3)]

    names = {conn: conn.recv() for conn in conns}
    numbers = iter(range(2, 11))
    asked = {}
    for conn in conns:
        asked[conn] = next(numbers)
        conn.send(asked[conn])
    while asked:
        for conn in wait(asked):
            print(f'{names[conn]} says: {asked.pop(conn)} squared is {conn.recv()}', flush=True)
            number = next(numbers, None)
            if number is None:
                conn.close()
            else:
                asked[conn] = number
                conn.send(number)
    for process in processes:
        process.join()


if __name__ == '__main__':
    main(sys.argv[1])
