using System.Runtime.ExceptionServices;

namespace Holdfast.Bitcask.Opening;

/// <summary>Runs the same work on several threads. Unlike the pool's, they are there at once, all of them.</summary>
internal static class OnThreads
{
    /// <summary>Returns when each of them has.</summary>
    /// <param name="degree">How many threads, this one among them; 1 or more.</param>
    /// <param name="work">Gets the number of the thread, from 0.</param>
    /// <exception cref="Exception">What one of them threw first.</exception>
    public static void Run(int degree, Action<int> work)
    {
        ExceptionDispatchInfo? failure = null;
        var others = new Thread[degree - 1];
        for (int i = 0; i < others.Length; i++)
        {
            int number = i + 1;
            others[i] = new Thread(() => Guarded(number)) { IsBackground = true, Name = "bitcask open" };
            others[i].Start();
        }

        Guarded(0);
        foreach (Thread other in others) other.Join();
        failure?.Throw();

        void Guarded(int number)
        {
            try
            {
                work(number);
            }
            catch (Exception reason)
            {
                // Thrown again by the thread that waits for all.
                _ = Interlocked.CompareExchange(ref failure, ExceptionDispatchInfo.Capture(reason), null);
            }
        }
    }
}
